import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { masterKey, open, seal } from "../../../src/replicator/keyRecords/seal.ts";

const key = masterKey(Buffer.alloc(32, 1));
const head = { id: "locator/a", version: "one", at: 5 };
const DAMAGED = expect.objectContaining({ code: "key_record_damaged", retry: "never" }) as Error;

describe("sealing", () => {
  it("gives back any text under the same key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(open(seal(text, head, key), key)).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it("has another nonce each time, and nothing of the text in it", () => {
    const [one, other] = [seal("the same secret", head, key), seal("the same secret", head, key)];
    expect(one.sealed).not.toBe(other.sealed);
    expect(one.sealed.slice(0, 16)).not.toBe(other.sealed.slice(0, 16));
    expect(Buffer.from(one.sealed, "base64").toString("latin1")).not.toContain("secret");
  });

  it("refuses a record of which a bit was changed, wherever it is", () => {
    const record = seal("the secret", head, key);
    const bytes = Buffer.from(record.sealed, "base64");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => open({ ...record, sealed: changed.toString("base64") }, key)).toThrow(DAMAGED);
    }
  });

  it("refuses a record in the place of another, of another version or time, under another key, or cut off", () => {
    const record = seal("the secret", head, key);
    expect(open(record, key)).toBe("the secret");
    for (const change of [
      { id: "locator/b" },
      { version: "two" },
      { at: 6 },
      { keyId: "ffffffffffffffff" },
      { sealed: "AAAA" },
      { sealed: "" },
    ])
      expect(() => open({ ...record, ...change }, key)).toThrow(DAMAGED);
    const cut = Buffer.from(record.sealed, "base64").subarray(0, -1).toString("base64");
    expect(() => open({ ...record, sealed: cut }, key)).toThrow(DAMAGED);
    expect(() => open(record, masterKey(randomBytes(32)))).toThrow(DAMAGED);
  });

  it("tells keys apart by a fingerprint that is not the key", () => {
    const bytes = Buffer.alloc(32, 0xab);
    const { id, key: object } = masterKey(bytes);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(id).toBe(masterKey(Buffer.from(bytes)).id);
    expect(id).not.toBe(key.id);
    expect(JSON.stringify({ object })).not.toContain("ab".repeat(4));
  });
});
