/** Whether, and with what token, a content key policy lets us ask for a clear key. Pure. */
import type { Tree, TreeObject } from "../core/media.ts";
import { isObject } from "./normalise.ts";
import { text } from "./references.ts";

/** The claim by which a token is bound to one content key. */
export const KEY_ID_CLAIM = "urn:microsoft:azure:mediaservices:contentkeyidentifier";

/** What a token must say. `signingKey` is a secret. */
export interface TokenSpec {
  readonly issuer: string;
  readonly audience: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly signingKey: Uint8Array;
}

export type KeyAccess =
  | { readonly kind: "open" }
  | { readonly kind: "token"; readonly token: TokenSpec }
  /** A token is wanted and we can make none; the key service still answers 401. */
  | { readonly kind: "closed"; readonly why: string }
  /** The policy delivers DRM licences only: there is no clear key to ask for. */
  | { readonly kind: "none"; readonly why: string };

const TYPE = "#Microsoft.Media.ContentKeyPolicy";

/** The easiest way in: an open clear-key option, else one for which a token can be made. `properties` is the policy with its secrets. */
export function keyAccess(properties: TreeObject, keyId: string): KeyAccess {
  const options = list(properties["options"]).filter(isObject);
  const clear = options.filter((option) => typeOf(option["configuration"]) === "ClearKeyConfiguration");
  if (clear.length === 0) return { kind: "none", why: "the content key policy has no clear-key option, only DRM licences" };
  const accesses = clear.map((option) => optionAccess(option["restriction"], keyId));
  return (
    accesses.find(({ kind }) => kind === "open") ??
    accesses.find(({ kind }) => kind === "token") ??
    accesses[0] ?? { kind: "none", why: "the content key policy has no option" }
  );
}

function optionAccess(restriction: Tree | undefined, keyId: string): KeyAccess {
  if (!isObject(restriction)) return { kind: "closed", why: "the option has no restriction that is known" };
  const type = typeOf(restriction);
  if (type === "OpenRestriction") return { kind: "open" };
  if (type !== "TokenRestriction") return { kind: "closed", why: `a ${type} lets nobody in that is known` };
  if (text(restriction["restrictionTokenType"])?.toLowerCase() !== "jwt") return { kind: "closed", why: "it wants a token that is no JWT" };
  const signingKey = symmetricKey(restriction);
  if (signingKey === null) return { kind: "closed", why: "its tokens are signed with a key that only their issuer has" };
  const claims = requiredClaims(restriction, keyId);
  if (typeof claims === "string") return { kind: "closed", why: claims };
  const token = { issuer: text(restriction["issuer"]) ?? "", audience: text(restriction["audience"]) ?? "", claims, signingKey };
  return { kind: "token", token };
}

/** The primary key if it is symmetric, else the first alternate that is. */
function symmetricKey(restriction: TreeObject): Uint8Array | null {
  for (const key of [restriction["primaryVerificationKey"], ...list(restriction["alternateVerificationKeys"])]) {
    if (typeOf(key) !== "SymmetricTokenKey" || !isObject(key)) continue;
    const value = key["keyValue"];
    if (value instanceof Uint8Array && value.length > 0) return value;
  }
  return null;
}

/** The claims by name, or a sentence that says which one cannot be known. */
function requiredClaims(restriction: TreeObject, keyId: string): Readonly<Record<string, string>> | string {
  const claims: Record<string, string> = { [KEY_ID_CLAIM]: keyId };
  for (const claim of list(restriction["requiredClaims"]).filter(isObject)) {
    const type = text(claim["claimType"]);
    if (type === null || type === KEY_ID_CLAIM) continue;
    const value = text(claim["claimValue"]);
    if (value === null) return `it wants the claim ${type} with a value that only the issuer knows`;
    claims[type] = value;
  }
  return claims;
}

function typeOf(tree: Tree | undefined): string {
  const name = isObject(tree) ? text(tree["odataType"]) : null;
  return name?.startsWith(TYPE) === true ? name.slice(TYPE.length) : (name ?? "nothing");
}

function list(tree: Tree | undefined): readonly Tree[] {
  return Array.isArray(tree) ? (tree as readonly Tree[]) : [];
}
