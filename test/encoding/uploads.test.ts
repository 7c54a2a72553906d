import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodingJob } from "../../src/core/encoding.ts";
import { dutiesOf, timersOf, type Standing } from "../../src/encoding/duties.ts";
import { apply, type JobEvent } from "../../src/encoding/job.ts";
import { awaitingUpload } from "../../src/encoding/uploads.ts";
import { applied, ID, NOW, placedIn, POLICY, seen, SECOND, waitingJob } from "./samples.ts";

const WELL: Standing = { status: "in", reason: null };
const duties = (job: EncodingJob, at: number, standing: Standing = WELL) => dutiesOf(job, () => standing, POLICY, at);
const types = (job: EncodingJob, at: number) => duties(job, at).map(({ type }) => type);

const awaiting = (): EncodingJob => awaitingUpload(waitingJob({ input: { kind: "upload", fileName: "a.mp4", bytes: 9 } }), POLICY, NOW);
const begin: JobEvent = { type: "uploading", regions: ["west", "east", "north"] };
const done = (upload = 1, ...regions: readonly string[]): JobEvent => ({ type: "uploaded", upload, regions });
const arrived = (): EncodingJob => applied(awaiting(), begin, done(1, "west", "east")).job;
const states = ({ copies }: EncodingJob) => copies.map(({ region, upload, state }) => `${region} ${upload} ${state}`);
const finished = (): EncodingJob => applied(arrived(), placedIn("west"), seen("west", 1, "finished")).job;

describe("a job that waits for its file", () => {
  it("is given to no account before the file is there, and then at once", () => {
    const job = awaiting();
    expect(timersOf(job, POLICY)).toEqual({ place: null, follow: NOW + POLICY.uploadMs });
    expect(applied(job, placedIn("west"), { type: "unplaced", why: "full" }).job).toEqual(job);
    const there = arrived();
    expect(there).toMatchObject({ state: "waiting", waitingFor: "new", placeAt: NOW + 2 * SECOND, uploadBy: null });
    expect(applied(there, placedIn("west")).job.state).toBe("running");
  });

  it("has each try in its record before it begins, and owes what a try has left", () => {
    const first = applied(awaiting(), begin).job;
    expect(first.copies.map(({ assetName }) => assetName)).toEqual([`${ID}-i1`, `${ID}-i1`, `${ID}-i1`]);
    const second = applied(first, { type: "abandoned", upload: 1 }, { type: "uploading", regions: ["west"] }).job;
    expect(states(second)).toEqual(["west 1 owed", "east 1 owed", "north 1 owed", "west 2 coming"]);
    expect(second.copies.at(-1)?.assetName).toBe(`${ID}-i2`);
    expect(types(second, NOW + 9 * SECOND)).toEqual(["discard", "discard", "discard"]);
    expect(states(arrived())).toEqual(["west 1 kept", "east 1 kept", "north 1 owed"]);
  });

  it("takes only the last try: one that was overtaken does not count", () => {
    const { job } = applied(awaiting(), begin, { type: "uploading", regions: ["west"] }, done(1, "west", "east"));
    expect([job.waitingFor, states(job)]).toEqual(["upload", ["west 1 owed", "east 1 owed", "north 1 owed", "west 2 coming"]]);
    expect(applied(job, done(2, "west")).job).toMatchObject({ waitingFor: "new" });
    expect(applied(arrived(), begin).job.uploads).toBe(1);
  });

  it("fails when nothing comes, later where a try was begun, and waits anew when it is tried again", () => {
    expect(types(awaiting(), NOW + POLICY.uploadMs)).toEqual(["unsent"]);
    const begun = applied(awaiting(), begin).job;
    expect(types(begun, NOW + POLICY.uploadMs)).toEqual([]);
    const { job, messages } = applied(begun, { type: "unsent" });
    expect([job.state, job.failure?.code, job.uploadBy]).toEqual(["failed", "upload_missing", null]);
    expect(messages.map(({ kind }) => kind)).toEqual(["failed"]);
    expect(states(job)).toEqual(["west 1 owed", "east 1 owed", "north 1 owed"]);
    expect(applied(job, { type: "retry" }).job).toMatchObject({ state: "waiting", waitingFor: "upload", placeAt: null });
    expect(applied(arrived(), { type: "unsent" }).job.state).toBe("waiting");
  });

  it("takes no file once it was canceled", () => {
    const { job } = applied(awaiting(), begin, { type: "cancel", by: "Ada" }, done(1, "west"));
    expect([job.state, states(job)]).toEqual(["canceled", ["west 1 owed", "east 1 owed", "north 1 owed"]]);
  });
});

describe("copies of an uploaded file", () => {
  it("go when the job has finished, and its record not before they are gone", () => {
    const job = finished();
    expect(states(job)).toEqual(["west 1 owed", "east 1 owed", "north 1 owed"]);
    const gone: JobEvent[] = ["west", "east", "north"].map((region) => ({ type: "discarded", upload: 1, region }));
    const later = NOW + 2 * POLICY.retentionMs;
    const tidy: JobEvent = { type: "cleaned", attempt: 1 };
    expect(types(applied(job, tidy, ...gone.slice(0, 2)).job, later)).toEqual(["discard"]);
    expect(types(applied(job, tidy, ...gone).job, later)).toEqual(["expire"]);
  });

  it("stay as long as a job's record that can be tried again", () => {
    const { job } = applied(arrived(), { type: "cancel", by: "Ada" });
    expect(states(job)).toEqual(["west 1 kept", "east 1 kept", "north 1 owed"]);
    const clean = applied(job, { type: "discarded", upload: 1, region: "north" }).job;
    const over = (clean.finalAt ?? 0) + POLICY.retentionMs;
    expect([timersOf(clean, POLICY).follow, types(clean, over - 1), types(clean, over)]).toEqual([over, [], ["discard", "discard"]]);
    expect(applied(clean, { type: "retry" }).job).toMatchObject({ waitingFor: "new", copies: clean.copies });
  });

  it("are tried again, ever more rarely, and reported when that is no use", () => {
    let job = finished();
    const again: JobEvent = { type: "undiscarded", upload: 1, region: "west" };
    const pauses = Array.from({ length: 3 }, (_, at) => {
      job = apply(job, again, POLICY, NOW + at).job;
      return (job.copies.find(({ region }) => region === "west")?.dueAt ?? 0) - NOW - at;
    });
    expect(pauses).toEqual([POLICY.cleanMs, POLICY.cleanMs * 2, POLICY.cleanMs * 4]);
    const { job: left, messages } = applied(job, ...Array.from({ length: POLICY.cleanTries }, () => again));
    expect(messages).toMatchObject([{ kind: "left_behind", account: "west", assets: [`${ID}-i1`] }]);
    expect(states(left)).toEqual(["east 1 owed", "north 1 owed"]);
  });

  it("are left alone while their region does not answer", () => {
    const [duty] = duties(finished(), NOW + 9 * SECOND, { status: "out", reason: "unreachable" });
    expect(duty).toMatchObject({ type: "postpone" });
    const deferred = duties(finished(), NOW + 9 * SECOND, { status: "out", reason: "unreachable" }).filter(({ type }) => type === "defer");
    expect(deferred).toHaveLength(3);
    const until = NOW + POLICY.cleanLongestMs;
    const { job } = applied(finished(), { type: "deferred", upload: 1, region: "west", until });
    expect(job.copies).toMatchObject([{ dueAt: until, tries: 0 }, {}, {}]);
    expect(duties(finished(), NOW + 9 * SECOND, null).map(({ type }) => type)).toEqual(["clean", "discard", "discard", "discard"]);
  });
});

const anyEvent: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.constantFrom<JobEvent>(begin, { type: "uploading", regions: ["west"] }, { type: "unsent" }, { type: "retry" }, placedIn("west")),
  fc.constantFrom<JobEvent>({ type: "cancel", by: "Ada" }, seen("west", 1, "finished"), seen("west", 2, "finished")),
  fc.record({
    type: fc.constant("uploaded" as const),
    upload: fc.integer({ min: 1, max: 4 }),
    regions: fc.subarray(["west", "east", "north"], { minLength: 1 }),
  }),
  fc.record({ type: fc.constant("abandoned" as const), upload: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    type: fc.constantFrom("discarded" as const, "undiscarded" as const),
    upload: fc.integer({ min: 1, max: 4 }),
    region: fc.constantFrom("west", "east", "north"),
  }),
);

describe("property: whatever comes, in whatever order", () => {
  it("no copy is forgotten, only the last try's can be read, and nothing is placed before there is one", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let job = awaiting();
        events.forEach((event, index) => {
          const next = apply(job, event, POLICY, NOW + index * SECOND).job;
          const gone = job.copies.filter(
            (copy) => !next.copies.some(({ region, upload }) => region === copy.region && upload === copy.upload),
          );
          if (event.type !== "discarded") expect(gone).toEqual([]);
          job = next;
          const used = job.copies.filter(({ state }) => state !== "owed");
          expect(used.every(({ upload }) => upload === job.uploads)).toBe(true);
          if (job.state === "finished") expect(used).toEqual([]);
          if (job.state === "finished" || job.state === "failed" || job.state === "canceled") expect(job.uploadBy).toBeNull();
          if (job.waitingFor === "upload") expect([job.placeAt, job.uploadBy === null]).toEqual([null, false]);
          // Whatever is left is looked after in time.
          if (job.copies.some(({ state }) => state === "owed")) expect(timersOf(job, POLICY).follow).not.toBeNull();
        });
      }),
      { numRuns: 500 },
    );
  });
});
