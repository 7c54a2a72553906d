/** Keyed fingerprint of a content key (HMAC-SHA-256, hex): tells whether two keys are equal, and nothing else. */
export type Fingerprint = (key: Uint8Array) => string;
