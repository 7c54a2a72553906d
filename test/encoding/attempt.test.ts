import fc from "fast-check";
import { expect, it } from "vitest";
import { ACCOUNT_JOB_STATES, type Attempt, type Sighting } from "../../src/core/encoding.ts";
import { sighted } from "../../src/encoding/attempt.ts";
import { newAttempt } from "../../src/encoding/newAttempt.ts";
import { NOW, sighting, TRANSIENT, waitingJob } from "./samples.ts";

const start = newAttempt(waitingJob(), { account: "west", trial: false, outputs: 2 }, NOW, NOW);

function after(sightings: readonly Sighting[], from: Attempt = start): Attempt {
  return sightings.reduce((attempt, each, index) => sighted(attempt, each, NOW + 1 + index), from);
}

it("only ever advances, and records times that come late", () => {
  const attempt = after([
    sighting("west", 1, { state: "processing", at: NOW + 50 }),
    sighting("west", 1, { state: "scheduled", at: NOW + 20 }),
    sighting("west", 1, { state: "processing", at: NOW + 40 }),
  ]);
  expect(attempt).toMatchObject({ state: "processing", scheduledAt: NOW + 20, processingAt: NOW + 40, finalAt: null, newsAt: NOW + 1 });
});

it("keeps the first final state", () => {
  const states = ["finished", "error", "canceled"] as const;
  const attempt = after(states.map((state, index) => sighting("west", 1, { state, at: NOW + index, failure: null })));
  expect(attempt).toMatchObject({ state: "finished", finalAt: NOW });
});

it("takes progress for news, and the same progress again for none", () => {
  const first = after([sighting("west", 1, { label: "o0", state: "processing", progress: 40 })]);
  expect(first).toMatchObject({ state: "processing", progress: 20, newsAt: NOW + 1 });
  expect(sighted(first, sighting("west", 1, { label: "o0", progress: 40 }), NOW + 99)).toBe(first);
  expect(sighted(first, sighting("west", 1, { label: "o0", progress: 30 }), NOW + 99)).toBe(first);
  expect(sighted(first, sighting("west", 1, { label: "o1", progress: 100 }), NOW + 99)).toMatchObject({ progress: 70, newsAt: NOW + 99 });
});

it("knows the end of a job by its outputs, where the job's own event is lost", () => {
  const half = after([sighting("west", 1, { label: "o0", state: "finished" })]);
  expect(half.state).toBe("processing");
  expect(after([sighting("west", 1, { label: "o1", state: "finished", at: NOW + 9 })], half)).toMatchObject({
    state: "finished",
    finalAt: NOW + 9,
  });
  const failed = after([sighting("west", 1, { label: "o1", state: "error", failure: TRANSIENT })], half);
  expect(failed).toMatchObject({ state: "error", failure: TRANSIENT });
});

it("passes over outputs that it does not have", () => {
  expect(sighted(start, sighting("west", 1, { label: "o7", state: "finished" }), NOW)).toBe(start);
});

const anySighting = fc.record({
  label: fc.constantFrom(null, "o0", "o1"),
  state: fc.constantFrom(null, ...ACCOUNT_JOB_STATES),
  progress: fc.option(fc.integer({ min: 0, max: 100 })),
  at: fc.integer({ min: NOW, max: NOW + 1_000 }),
});

it("property: doubling changes nothing, states never go back, and what is not final does not depend on the order", () => {
  fc.assert(
    fc.property(fc.array(anySighting, { maxLength: 12 }), (drawn) => {
      const sightings = drawn.map((each) => sighting("west", 1, each));
      const once = after(sightings);
      const twice = after(sightings.flatMap((each) => [each, each]));
      expect({ ...twice, newsAt: 0 }).toEqual({ ...once, newsAt: 0 });
      let [state, progress] = [-1, 0];
      let current = start;
      for (const each of sightings) {
        current = sighted(current, each, NOW);
        const rank = current.state === null ? -1 : ACCOUNT_JOB_STATES.indexOf(current.state);
        expect(rank).toBeGreaterThanOrEqual(state);
        expect(current.progress).toBeGreaterThanOrEqual(progress);
        if (state >= ACCOUNT_JOB_STATES.indexOf("finished")) expect(rank).toBe(state);
        [state, progress] = [rank, current.progress];
      }
      const running = sightings.filter((each) => each.state === null || ACCOUNT_JOB_STATES.indexOf(each.state) < 3);
      const shown = ({ newsAt: _newsAt, ...rest }: Attempt) => rest;
      expect(shown(after(running.toReversed()))).toEqual(shown(after(running)));
    }),
  );
});
