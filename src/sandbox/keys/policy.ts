/** Content key policies as the management API carries them on the wire, and the decision whether one delivers a clear key. */
import { z } from "zod";
import type { JsonObject } from "../contracts.ts";
import { type Denial, type TokenRestriction, checkToken, tokenRestriction } from "./token.ts";

export interface KeyQuestion {
  /** Lower-case GUID. */
  readonly keyId: string;
  readonly token: string | null;
  /** Epoch milliseconds. */
  readonly now: number;
}

const CLEAR_KEY = "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration";
const OPEN = "#Microsoft.Media.ContentKeyPolicyOpenRestriction";
const TOKEN = "#Microsoft.Media.ContentKeyPolicyTokenRestriction";

const option = z.object({
  configuration: z.object({ "@odata.type": z.string() }),
  restriction: z.looseObject({ "@odata.type": z.string() }),
});
const contentKeyPolicy = z.object({ options: z.array(option) });
type Option = z.infer<typeof option>;

/**
 * Tries the options in order; the first that allows decides. Null: deliver the key.
 * Otherwise the refusal of a token says more to the player than that an option is not emulated, so it goes first.
 */
export async function denialOf(properties: JsonObject, question: KeyQuestion): Promise<Denial | null> {
  const policy = contentKeyPolicy.safeParse(properties);
  if (!policy.success) return { status: 500, code: "policy_malformed", message: "the content key policy cannot be read" };
  const denials: Denial[] = [];
  for (const candidate of policy.data.options) {
    const denial = await denialOfOption(candidate, question);
    if (denial === null) return null;
    denials.push(denial);
  }
  const empty: Denial = { status: 403, code: "policy_empty", message: "the content key policy has no option, so nobody is allowed" };
  return denials.find(({ status }) => status === 401 || status === 403) ?? denials[0] ?? empty;
}

async function denialOfOption({ configuration, restriction }: Option, question: KeyQuestion): Promise<Denial | null> {
  const type = configuration["@odata.type"];
  if (type !== CLEAR_KEY)
    return notEmulated(`the option delivers licences (${type}); the emulator has no DRM licence server, only clear keys`);
  if (restriction["@odata.type"] === OPEN) return null;
  if (restriction["@odata.type"] !== TOKEN) return notEmulated(`the restriction ${restriction["@odata.type"]} is not emulated`);
  const parsed = tokenRestriction.safeParse(restriction);
  if (!parsed.success) return { status: 500, code: "policy_malformed", message: "the token restriction cannot be read" };
  return denialOfToken(parsed.data, question);
}

async function denialOfToken(restriction: TokenRestriction, question: KeyQuestion): Promise<Denial | null> {
  if (restriction.restrictionTokenType !== "Jwt") {
    return notEmulated(`tokens of the type ${restriction.restrictionTokenType} are not emulated, only Jwt`);
  }
  if ((restriction.openIdConnectDiscoveryDocument ?? "") !== "") {
    return notEmulated("the emulator makes no requests to the outside, so it cannot read an openIdConnectDiscoveryDocument");
  }
  if (question.token === null) return { status: 401, code: "token_missing", message: "the content key policy demands a token" };
  return checkToken(restriction, question.token, question);
}

function notEmulated(message: string): Denial {
  return { status: 501, code: "not_emulated", message };
}
