import { expect, test } from "vitest";
import { errorChain, errorCode, PaircastError } from "../../src/core/errors.ts";

test("carries its code and its retry class, and an Error's cause", () => {
  const cause = new Error("connection refused");
  const error = new PaircastError("storage_unavailable", "could not list container sample", { retry: "retry", cause });
  expect(error).toMatchObject({ name: "PaircastError", code: "storage_unavailable", retry: "retry", cause });
  expect(error).toBeInstanceOf(Error);
});

test("is not retried unless it says so, and has no cause unless it was given one", () => {
  const error = new PaircastError("not_configured", "no such region");
  expect(error.retry).toBe("never");
  expect("cause" in error).toBe(false);
});

test("the code of a foreign error is internal", () => {
  expect(errorCode(new PaircastError("blob_conflict", "held by another"))).toBe("blob_conflict");
  expect(errorCode(new TypeError("x is not a function"))).toBe("internal");
  expect(errorCode("refused")).toBe("internal");
  expect(errorCode(undefined)).toBe("internal");
});

test("the chain reads from the outermost to the innermost", () => {
  const chain = new PaircastError("copy_failed", "could not copy a.mp4", { cause: new Error("read failed", { cause: "ECONNRESET" }) });
  expect(errorChain(chain)).toBe("could not copy a.mp4: read failed: ECONNRESET");
});

test("a chain that leads back to itself ends", () => {
  const error = new Error("loop");
  error.cause = error;
  expect(errorChain(error).split(": ")).toEqual(["loop", "loop", "loop", "loop", "loop", "loop"]);
});
