import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";

const secret = new Uint8Array(32).fill(7);
const key = Uint8Array.from({ length: 16 }, (_, index) => index);

test("is HMAC-SHA-256 in hex", () => {
  // RFC 4231, test case 2.
  const fingerprint = keyedFingerprint(new TextEncoder().encode("Jefe"));
  expect(fingerprint(new TextEncoder().encode("what do ya want for nothing?"))).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("is equal for equal keys and differs for any other key", () => {
  const fingerprint = keyedFingerprint(secret);
  const keys = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      expect(fingerprint(a) === fingerprint(b)).toBe(Buffer.from(a).equals(b));
    }),
  );
});

test("cannot be compared across stores, and does not hold the key", () => {
  const other = keyedFingerprint(randomBytes(32));
  expect(other(key)).not.toBe(keyedFingerprint(secret)(key));
  expect(other(key)).not.toContain(Buffer.from(key).toString("hex"));
  expect(other(key)).not.toBe(createHmac("sha256", "").update(key).digest("hex"));
});
