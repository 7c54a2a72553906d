/** Properties that belong to filters and policies themselves; what else a service answers (ids, dates) is its own. */
export const FILTER_FIELDS = ["presentationTimeRange", "firstQuality", "tracks"];
export const KEY_POLICY_FIELDS = ["description", "options"];
export const STREAMING_POLICY_FIELDS = [
  "defaultContentKeyPolicyName",
  "envelopeEncryption",
  "commonEncryptionCenc",
  "commonEncryptionCbcs",
  "noEncryption",
];
