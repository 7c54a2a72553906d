import { describe, expect, it } from "vitest";
import { ServiceCalls } from "../../../src/replicator/adapters/serviceCalls.ts";
import { stateError } from "../../../src/replicator/adapters/stateErrors.ts";
import { ManualClock } from "../../fakes/clock.ts";

const OWN = { "x-ms-request-id": "1" };

function answer(status: number, headers: Readonly<Record<string, string>> = OWN) {
  return { status, headers: { get: (name: string): string | undefined => headers[name] } };
}

function broken(code: string): Error {
  return Object.assign(new Error(`connection: ${code}`), { code });
}

/** Calls whose tries end one after the other as planned, the last one for ever. */
function planned(tries: readonly (() => ReturnType<typeof answer>)[], random = 1) {
  const clock = new ManualClock();
  const calls = new ServiceCalls({ clock, random: { next: () => random, uuid: () => "" } });
  const at: number[] = [];
  const start = clock.monotonic();
  const result = calls.run("ask the service", async () => {
    at.push(clock.monotonic() - start);
    const next = tries[Math.min(at.length, tries.length) - 1];
    if (next === undefined) throw new Error("nothing planned");
    return next();
  });
  result.catch(() => undefined);
  return { clock, calls, at, result };
}

describe("calls of a service", () => {
  it("wait as long as the service asks, in seconds, in milliseconds, or until a date", async () => {
    const date = new Date(Date.UTC(2026, 0, 1) + 7_000).toUTCString();
    const { clock, at, result } = planned([
      () => answer(429, { ...OWN, "retry-after": "2" }),
      () => answer(503, { ...OWN, "x-ms-retry-after-ms": "1500" }),
      () => answer(503, { ...OWN, "retry-after": date }),
      () => answer(200),
    ]);
    await clock.advance(20_000);
    expect((await result).status).toBe(200);
    expect(at).toEqual([0, 2_000, 3_500, 7_000]);
  });

  it("wait longer and longer where it does not say, for errors that may pass and for lost connections", async () => {
    const { clock, at, result, calls } = planned([
      () => answer(500),
      () => {
        throw broken("ECONNRESET");
      },
      () => answer(503),
      () => answer(204),
    ]);
    await clock.advance(20_000);
    expect((await result).status).toBe(204);
    expect(at).toEqual([0, 100, 300, 700]);
    expect(calls.sent).toBe(4);
  });

  it("spread their tries: no pause is the same for everybody", async () => {
    const { clock, at, result } = planned([() => answer(500), () => answer(200)], 0);
    await clock.advance(20_000);
    await result;
    expect(at).toEqual([0, 50]);
  });

  it("give what they got last when the time is up, also when the service asks for longer than that", async () => {
    const patient = planned([() => answer(429, { ...OWN, "retry-after": "60" })]);
    expect((await patient.result).status).toBe(429);
    const { clock, at, result } = planned([() => answer(503)]);
    await clock.advance(60_000);
    expect((await result).status).toBe(503);
    expect(at.at(-1)).toBeLessThan(15_000);
  });

  it.each([200, 400, 403, 404, 409, 412])("take %i for an answer", async (status) => {
    const { result, calls } = planned([() => answer(status)]);
    expect((await result).status).toBe(status);
    expect(calls.sent).toBe(1);
  });

  it("try again what the SDK threw for an answer, and throw it when it does not pass", async () => {
    const thrown = Object.assign(new Error("busy"), { statusCode: 503, response: answer(503, { ...OWN, "retry-after": "1" }) });
    const { clock, at, result } = planned([
      () => {
        throw thrown;
      },
    ]);
    await clock.advance(60_000);
    await expect(result).rejects.toBe(thrown);
    expect(at.slice(0, 3)).toEqual([0, 1_000, 2_000]);
  });

  it("end a try that hangs, and all of them in time", async () => {
    const clock = new ManualClock();
    const calls = new ServiceCalls({ clock, random: { next: () => 0, uuid: () => "" } });
    const hung = calls.run("ask the service", async (signal) => {
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(new Error("aborted"));
        });
      });
      return answer(200);
    });
    hung.catch(() => undefined);
    await clock.advance(16_000);
    const error = stateError(await hung.catch((thrown: unknown) => thrown), "ask the service");
    expect(error).toMatchObject({ code: "state_unavailable", retry: "retry" });
    expect(calls.sent).toBe(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it("do not take a login page for an answer", async () => {
    const { clock, result, calls } = planned([() => answer(200, { "content-type": "text/html" })]);
    await clock.advance(60_000);
    await expect(result).rejects.toMatchObject({ code: "state_unavailable", message: expect.stringContaining("login page") as string });
    expect(calls.sent).toBeGreaterThan(1);
    expect(calls.skewMs()).toBe(0);
  });

  it("learn by how much the service's clock is ahead, where that is more than its header can be wrong by", async () => {
    const clock = new ManualClock();
    const calls = new ServiceCalls({ clock, random: { next: () => 0, uuid: () => "" } });
    const skewAfter = async (ms: number): Promise<number> => {
      await calls.run("ask", async () => answer(200, { ...OWN, date: new Date(clock.now() + ms).toUTCString() }));
      return calls.skewMs();
    };
    expect(await skewAfter(60_000)).toBe(60_000);
    expect(await skewAfter(-90_000)).toBe(-90_000);
    expect(await skewAfter(-1_000)).toBe(0);
    await calls.run("ask", async () => answer(200));
    expect(calls.skewMs()).toBe(0);
  });
});

describe("errors of a service", () => {
  const refused = (status: number, details: object = {}) =>
    Object.assign(new Error("said so\nRequestId:1"), { statusCode: status, details });

  it.each([
    [429, "state_unavailable", "retry"],
    [500, "state_unavailable", "retry"],
    [401, "state_denied", "never"],
    [403, "state_denied", "never"],
    [400, "state_rejected", "never"],
  ])("of status %i are %s", (status, code, retry) => {
    expect(stateError(refused(status), "read row a")).toMatchObject({ code, retry });
  });

  it("name the service's own code, from wherever the SDK has put it", () => {
    const messages = [
      refused(400, { odataError: { code: "InvalidInput" } }),
      refused(400, { errorCode: "InvalidQueryParameterValue" }),
      Object.assign(refused(400), { code: "InvalidDuplicateRow" }),
    ].map((error) => (stateError(error, "read row a") as Error).message);
    expect(messages.map((message) => /\((.*)\)$/.exec(message)?.[1])).toEqual([
      "400 InvalidInput",
      "400 InvalidQueryParameterValue",
      "400 InvalidDuplicateRow",
    ]);
  });

  it("of a credential that cannot be had are those of one that is refused", () => {
    const error = Object.assign(new Error("no managed identity"), { name: "CredentialUnavailableError" });
    expect(stateError(error, "read row a")).toMatchObject({ code: "state_denied" });
  });

  it("leave a defect as it is", () => {
    const defect = new TypeError("x is not a function");
    expect(stateError(defect, "read row a")).toBe(defect);
  });

  it("hold no signature", () => {
    const error = stateError(
      Object.assign(new Error("GET https://a.example/t?sv=1&sig=c2VjcmV0"), { statusCode: 403 }),
      "read row a",
    ) as Error;
    expect(`${error.message} ${String(error.cause)}`).not.toContain("c2VjcmV0");
  });
});
