export class PaircastError extends Error {
  readonly code = "internal";
}
