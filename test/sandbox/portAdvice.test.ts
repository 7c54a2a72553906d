import { describe, expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import { withPortAdvice } from "../../src/sandbox/command.ts";

describe("a port that the sandbox cannot have", () => {
  it.each(["port_taken", "listen_failed"])("leads to --port-base: %s", (code) => {
    const error = withPortAdvice(new PaircastError(code, "cannot listen on 127.0.0.1:8080"));
    expect(error).toMatchObject({ code, message: expect.stringMatching(/^cannot listen on 127\.0\.0\.1:8080\n.*`--port-base N`/) });
  });

  it("is the only error that does", () => {
    const other = new PaircastError("not_replicated", "the sample is not verified");
    expect(withPortAdvice(other)).toBe(other);
  });
});
