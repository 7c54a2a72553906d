/** How thoroughly a configuration has copies verified. */
import type { Config } from "../core/config/schema.ts";
import type { VerificationPolicy } from "../replicator/verification/policy.ts";

export function verificationPolicy({ replication: { verification } }: Config): VerificationPolicy {
  const { wholeUpTo, ...policy } = verification;
  return { ...policy, wholeBytes: wholeUpTo };
}
