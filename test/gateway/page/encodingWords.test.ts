import { describe, expect, it } from "vitest";
import { ACCOUNT_JOB_STATES, WAITING_FOR } from "../../../src/core/encoding.ts";
import {
  accountReasons,
  accountState,
  actionWords,
  endWords,
  keptWords,
  nowWords,
} from "../../../src/gateway/page/client/encodingWords.js";

const RATES = { windowMs: 1, finished: 0, failed: 0, stuck: 0, finishedPerHour: 0, failureShare: null };
const ACCOUNT = { account: "west", status: "in" as const, since: 0, reason: null, detail: null, pausedUntil: null, heldUntil: null };
const USED = { ...ACCOUNT, inFlight: 1, maxInFlight: 4, capacity: 4, disabled: false, readmitted: null, rates: RATES };
const seconds = (ms: number) => `${ms / 1000} s`;

type Words = Parameters<typeof nowWords>[0];

describe("encoding in plain words", () => {
  it("has words for everything that a job can wait for, and every state of an account's job", () => {
    for (const waitingFor of WAITING_FOR) {
      const words = nowWords({ state: "waiting", waitingFor, attempts: [], failure: null } as unknown as Words);
      expect(words, waitingFor).not.toBe(waitingFor);
    }
    for (const state of ACCOUNT_JOB_STATES.filter((each) => each !== "canceled" && each !== "error")) {
      const words = nowWords({ state: "running", waitingFor: null, attempts: [{ state }], failure: null } as unknown as Words);
      expect(words, state).not.toBe(state);
    }
  });

  it("says why an account is not used, each reason once", () => {
    expect(accountReasons(USED, 0, seconds)).toEqual([]);
    expect(accountState(USED)).toEqual({ word: "used", tone: "healthy" });
    const out = { ...USED, status: "out" as const, reason: "denied", detail: "2 calls", heldUntil: 9_000, capacity: 0, disabled: true };
    expect(accountState(out).word).toBe("out");
    expect(accountReasons(out, 4_000, seconds)).toEqual([
      "it refuses the credential (401 or 403) (2 calls)",
      "not tried again for another 5 s",
      "an operator keeps jobs away from it",
    ]);
    expect(accountReasons({ ...USED, pausedUntil: 3_000, capacity: 2 }, 1_000, seconds)).toEqual([
      "takes no new jobs for another 2 s: it asked for fewer requests",
      "has returned, and may have 2 of 4 jobs for now",
    ]);
    expect(accountReasons({ ...USED, readmitted: { by: "Ada", at: 1_000 } }, 4_000, seconds)).toEqual(["re-admitted by Ada, 3 s ago"]);
    expect(accountState({ ...USED, disabled: true })).toEqual({ word: "drained by an operator", tone: "unknown" });
  });

  it("says how an attempt ended, and what is still to be done", () => {
    const attempt = { end: "moved", endDetail: "no progress", late: true, owed: "remove" } as unknown as Parameters<typeof endWords>[0];
    expect(endWords(attempt)).toBe(
      "was taken away: no progress; it finished all the same, and its output does not count; what it left in the account is still to be removed",
    );
    expect(endWords({ ...attempt, end: null, late: false })).toBe("under way");
  });

  it("says where an uploaded file is, and who did what", () => {
    const copies = [
      { region: "west", upload: 1, state: "kept" as const },
      { region: "east", upload: 1, state: "owed" as const },
      { region: "east", upload: 2, state: "coming" as const },
    ];
    expect(keptWords(copies)).toBe("kept in west, being copied to east");
    expect(keptWords(copies.map((copy) => ({ ...copy, state: "kept" as const })).slice(0, 2))).toBe("kept in west and east");
    expect([keptWords([]), keptWords(copies.slice(1))]).toEqual([null, null]);
    expect(actionWords({ kind: "cancel", by: "Ada", at: 1 })).toBe("canceled by Ada");
    expect(actionWords({ kind: "retry", by: "status page", at: 1 })).toBe("tried again by status page");
  });
});
