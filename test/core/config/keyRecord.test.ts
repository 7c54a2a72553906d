import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyRecord, masterKeyBytes } from "../../../src/core/config/keyRecord.ts";

const bytes = randomBytes(32);

describe("master keys in the configuration", () => {
  it("are 32 bytes in base64 or hexadecimal, however they are padded", () => {
    const base64 = bytes.toString("base64");
    for (const text of [
      base64,
      base64.replace("=", ""),
      bytes.toString("base64url"),
      bytes.toString("hex"),
      ` ${bytes.toString("hex").toUpperCase()}\n`,
    ])
      expect(Buffer.from(masterKeyBytes(text) ?? []).equals(bytes)).toBe(true);
  });

  it.each([
    "",
    "secret",
    randomBytes(31).toString("base64"),
    randomBytes(33).toString("base64"),
    `${bytes.toString("hex")}00`,
    "=".repeat(44),
  ])("are nothing else: %j", (text) => {
    expect(masterKeyBytes(text)).toBeNull();
    expect(keyRecord.safeParse({ keys: [text] }).success).toBe(false);
  });

  it("may lie in a key vault, under the URL of a secret", () => {
    const url = "https://library.vault.azure.net/secrets/paircast-master";
    expect(keyRecord.parse({ keys: [`keyvault:${url}`, `keyvault:${url}/${"0".repeat(32)}`] }).keys).toEqual([
      { vaultSecret: url },
      { vaultSecret: `${url}/${"0".repeat(32)}` },
    ]);
    for (const other of [
      "http://library.vault.azure.net/secrets/a",
      "https://library.vault.azure.net/keys/a",
      "a",
      `${url}?api-version=1`,
      `${url}/latest`,
    ])
      expect(keyRecord.safeParse({ keys: [`keyvault:${other}`] }).success, other).toBe(false);
  });

  it("are at least one, and a refusal does not say what was written", () => {
    expect(keyRecord.safeParse({ keys: [] }).success).toBe(false);
    const refused = keyRecord.safeParse({ keys: ["hunter2-hunter2"] });
    expect(refused.error?.message).toContain("openssl rand -base64 32");
    expect(refused.error?.message).not.toContain("hunter2");
  });
});
