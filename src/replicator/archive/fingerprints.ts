/** Tells whether two stores make fingerprints of content keys under the same key, without saying which. */
import { createHash } from "node:crypto";

export function fingerprintsId(fingerprintKey: Uint8Array): string {
  return createHash("sha256").update("paircast fingerprint key\0").update(fingerprintKey).digest("hex").slice(0, 16);
}
