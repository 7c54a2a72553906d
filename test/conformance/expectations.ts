/** What the conformance suites expect of errors and of lists without a promised order. */
import { expect } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";

export function sortedByName<T extends { readonly name: string }>(listed: readonly T[]): readonly T[] {
  return listed.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** The error with which a call fails, checked to be ours and of one of these codes. */
export async function expectCode(call: Promise<unknown>, ...codes: readonly string[]): Promise<PaircastError> {
  const [result] = await Promise.allSettled([call]);
  const error: unknown = result.status === "rejected" ? result.reason : undefined;
  const wanted = codes.join(" or ");
  if (!(error instanceof PaircastError)) throw new Error(`expected ${wanted}, got ${result.status} ${String(error)}`, { cause: error });
  expect(codes, `${error.code}: ${error.message}`).toContain(error.code);
  return error;
}
