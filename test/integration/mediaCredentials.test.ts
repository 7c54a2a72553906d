/** Every kind of credential of the driver `ams` that needs no cloud, against the emulator of the management API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential, type MediaCredentialConfig } from "../../src/replicator/adapters/credentials.ts";
import { ManualClock } from "../fakes/clock.ts";
import { ACCOUNT, API_KEY, emulateAccount, openAccount, type EmulatedAccount } from "../harness/emulatedAccount.ts";

let emulated: EmulatedAccount;
let endpoint: string;
let authorizations: readonly (string | null)[];

beforeAll(async () => {
  emulated = await emulateAccount();
  ({ endpoint, authorizations } = emulated);
});

afterAll(async () => {
  await emulated[Symbol.asyncDispose]();
});

function account(credential: MediaCredentialConfig, clock = systemClock): AzureMediaAccount {
  return openAccount({ endpoint, credential, clock });
}

async function token(): Promise<string> {
  const body = JSON.stringify({ subscriptionId: ACCOUNT.subscriptionId, apiKey: API_KEY });
  return (await fetch(`${endpoint}/auth/token`, { method: "POST", body })).text();
}

describe("the driver ams", () => {
  it("asks for a token with an API key, at the service's usual place or where it is told to", async () => {
    expect(await account({ kind: "api-key", apiKey: API_KEY }).asset("a")).toBeNull();
    expect(await account({ kind: "api-key", apiKey: API_KEY, tokenUrl: `${endpoint}/auth/token` }).asset("a")).toBeNull();
    const nowhere = account({ kind: "api-key", apiKey: API_KEY, tokenUrl: `${endpoint}/tokens` });
    await expect(nowhere.asset("a")).rejects.toMatchObject({
      code: "account_denied",
      message: expect.stringContaining("/tokens") as string,
    });
  });

  it("sends a token that it was given, and none that has ended", async () => {
    const given = await token();
    expect(await account({ kind: "bearer", token: given }).asset("a")).toBeNull();
    expect(authorizations.at(-1)).toBe(`Bearer ${given}`);
    const asked = authorizations.length;
    const later = account({ kind: "bearer", token: given }, new ManualClock(systemClock.now() + 2 * 3_600_000));
    await expect(later.asset("a")).rejects.toMatchObject({
      code: "account_denied",
      message: expect.stringContaining("ended at") as string,
    });
    expect(authorizations).toHaveLength(asked);
    await expect(account({ kind: "bearer", token: "no-token" }).asset("a")).rejects.toMatchObject({ code: "account_denied" });
  });

  it("sends a secret in a header field of its own", async () => {
    const secret = `Bearer ${await token()}`;
    expect(await account({ kind: "header", header: "Authorization", secret }).asset("a")).toBeNull();
    const other = account({ kind: "header", header: "x-api-key", secret });
    const error: unknown = await other.asset("a").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "account_denied" });
    expect(authorizations.at(-1)).toBeNull();
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
  });

  it.each(["managed-identity", "client-secret"] as const)("makes a credential of Entra ID (%s) without asking anybody", (kind) => {
    const made = createCredential(
      kind === "client-secret" ? { kind, tenantId: "tenant", clientId: "client", clientSecret: "secret" } : { kind, clientId: "client" },
      { endpoint, subscriptionId: ACCOUNT.subscriptionId, clock: systemClock },
    );
    expect(typeof made.getToken).toBe("function");
  });
});
