/** The stage of a conformance suite. */
import { afterEach, beforeEach } from "vitest";

/** Makes a harness for each test and disposes of it; gives the one of the test that runs. */
export function eachTest<Harness extends AsyncDisposable>(make: () => Promise<Harness>): () => Harness {
  let harness: Harness;
  beforeEach(async () => {
    harness = await make();
  });
  afterEach(async () => {
    await harness[Symbol.asyncDispose]();
  });
  return () => harness;
}
