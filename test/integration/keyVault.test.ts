/** A secret over a real socket that speaks Key Vault's protocol; no vault was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keyringOf } from "../../src/compose/keyRecord.ts";
import { systemClock } from "../../src/core/clock.ts";
import { readVaultSecret, vaultScope } from "../../src/replicator/adapters/keyVault.ts";

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const scopes: unknown[] = [];
const credential = {
  getToken: async (scope: string | string[]) => {
    scopes.push(scope);
    return { token: "a-token", expiresOnTimestamp: Number.MAX_SAFE_INTEGER };
  },
};

beforeEach(async () => {
  scopes.length = 0;
  server = createServer((request, response) => answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secrets/master`;
});
afterEach(() => {
  server.close().closeAllConnections();
});

function says(status: number, body: string): void {
  answer = (_, response) => void response.writeHead(status, { "content-type": "application/json" }).end(body);
}

describe("a secret in a key vault", () => {
  it("is asked for with a token for vaults, and given as it is", async () => {
    let seen: { url: string | undefined; authorization: string | undefined } | null = null;
    answer = (request, response) => {
      seen = { url: request.url, authorization: request.headers.authorization };
      response.end(JSON.stringify({ value: "the secret", id: url, attributes: { enabled: true } }));
    };
    expect(await readVaultSecret({ url, clock: systemClock, credential })).toBe("the secret");
    expect(seen).toEqual({ url: "/secrets/master?api-version=7.4", authorization: "Bearer a-token" });
    expect(scopes).toEqual([vaultScope(url)]);
    expect(vaultScope("https://library.vault.azure.net/secrets/master")).toBe("https://vault.azure.net/.default");
    expect(vaultScope("https://library.vault.usgovcloudapi.net/secrets/master")).toBe("https://vault.usgovcloudapi.net/.default");
  });

  it.each([
    [401, "{}", "key_vault_denied", "never"],
    [403, '{"error":{"code":"Forbidden"}}', "key_vault_denied", "never"],
    [404, "{}", "key_vault_rejected", "never"],
    [429, "", "key_vault_unavailable", "retry"],
    [503, "", "key_vault_unavailable", "retry"],
    [200, "<html>", "key_vault_rejected", "never"],
    [200, '{"kid":"a key, not a secret"}', "key_vault_rejected", "never"],
  ])("that answers %i %s fails with %s", async (status, body, code, retry) => {
    says(status, body);
    const failure = await readVaultSecret({ url, clock: systemClock, credential }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, retry });
    expect(String(failure)).not.toContain("a-token");
  });

  it("that nobody serves, that breaks off or leads elsewhere is not available", async () => {
    answer = (_, response) => void response.writeHead(302, { location: "https://elsewhere.example/" }).end();
    await expect(readVaultSecret({ url, clock: systemClock, credential })).rejects.toMatchObject({ code: "key_vault_unavailable" });
    answer = (request) => void request.socket.destroy();
    await expect(readVaultSecret({ url, clock: systemClock, credential })).rejects.toMatchObject({ code: "key_vault_unavailable" });
    const none = { getToken: () => Promise.reject(new Error("no identity here")) };
    await expect(readVaultSecret({ url, clock: systemClock, credential: none })).rejects.toMatchObject({ code: "key_vault_denied" });
  });

  it("is not asked for before a key is needed", async () => {
    let asked = 0;
    answer = (_, response) => {
      asked += 1;
      response.end("{}");
    };
    const keyring = keyringOf([{ masterKey: Buffer.alloc(32, 1).toString("base64") }, { vaultSecret: url }], systemClock);
    const { id } = await keyring.newest();
    expect((await keyring.find(id, "a")).id).toBe(id);
    expect(asked).toBe(0);
  });
});
