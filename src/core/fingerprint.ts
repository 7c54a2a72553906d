/** Tells two content keys apart without keeping either. */
import { createHmac } from "node:crypto";
import type { Fingerprint } from "./ports/fingerprint.ts";

/** HMAC-SHA-256 under the store's own key, so that a stolen catalogue cannot be searched for known keys. */
export function keyedFingerprint(secret: Uint8Array): Fingerprint {
  return (key) => createHmac("sha256", secret).update(key).digest("hex");
}
