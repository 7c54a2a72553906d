import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodingJob } from "../../src/core/encoding.ts";
import { dutiesOf, timersOf } from "../../src/encoding/duties.ts";
import { apply, isFinal, type JobEvent } from "../../src/encoding/job.ts";
import type { JobPolicy } from "../../src/encoding/policy.ts";
import type { Standing } from "../../src/encoding/standing.ts";
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
    expect(applied(job, { type: "retry", by: "Ada" }).job).toMatchObject({ state: "waiting", waitingFor: "upload", placeAt: null });
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
    expect(applied(clean, { type: "retry", by: "Ada" }).job).toMatchObject({ waitingFor: "new", copies: clean.copies });
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

const KEEPING: JobPolicy = { ...POLICY, keep: { regions: ["west", "east", "north"], copies: 2 } };
/** As `applied`, where files are kept in two of three regions. */
const kept = (job: EncodingJob, ...events: readonly JobEvent[]): EncodingJob =>
  events.reduce((current, event, at) => apply(current, event, KEEPING, NOW + (at + 1) * SECOND).job, job);
/** Only west took the file; the others owe what they have of it. */
const single = (): EncodingJob => kept(awaiting(), begin, done(1, "west"));
const spreadOf = (job: EncodingJob, of: Readonly<Record<string, Standing>> = {}, at = job.spreadAt ?? 0) =>
  dutiesOf(job, (account) => (account in of ? (of[account] ?? null) : WELL), KEEPING, at).filter(({ type }) => type === "spread");
const spreading = (region: string, upload = 2): JobEvent => ({ type: "spreading", region, upload, until: NOW + HOUR });
const out = (reason: "unreachable" | "failing" | "denied" | "stuck"): Standing => ({ status: "out", reason });
const HOUR = 3_600_000;

describe("a file that only one region took", () => {
  it("is seen to before long, by the scheduler's timer; one that enough regions have, or too few are there for, is not", () => {
    const job = single();
    expect(job.spreadAt).toBe(NOW + 2 * SECOND + KEEPING.spreadMs);
    const alone = { ...job, copies: job.copies.filter(({ state }) => state === "kept") };
    expect(timersOf(alone, KEEPING).follow).toBe(job.spreadAt);
    expect(spreadOf(job, {}, (job.spreadAt ?? 0) - 1)).toEqual([]);
    expect(spreadOf(job)).toMatchObject([{ region: "east", upload: 2 }]);
    expect(kept(awaiting(), begin, done(1, "west", "north")).spreadAt).toBeNull();
    const few = { ...KEEPING, keep: { regions: ["west"], copies: 2 } };
    const there = apply(apply(awaiting(), begin, few, NOW).job, done(1, "west"), few, NOW).job;
    expect([there.waitingFor, there.spreadAt]).toEqual(["new", null]);
  });

  it("goes to a region whose account answers, first where jobs run; else it is looked at again", () => {
    const job = single();
    for (const reason of ["unreachable", "failing", "denied"] as const)
      expect(spreadOf(job, { east: out(reason) })).toMatchObject([{ region: "north" }]);
    expect(spreadOf(job, { east: out("stuck") })).toMatchObject([{ region: "north" }]);
    expect(spreadOf(job, { east: out("stuck"), north: out("denied") })).toMatchObject([{ region: "east" }]);
    // It keeps files, and does not encode.
    expect(spreadOf(job, { east: null })).toMatchObject([{ region: "north" }]);
    expect(spreadOf(job, { east: null, north: out("failing") })).toMatchObject([{ region: "east" }]);
    const [duty] = spreadOf(job, { east: out("unreachable"), north: out("unreachable") });
    expect(duty).toMatchObject({ region: null, upload: 2, until: (job.spreadAt ?? 0) + KEEPING.spreadMs });
    const later = kept(job, { type: "unspread", upload: 2, until: NOW + HOUR });
    expect([later.spreadAt, spreadOf(later, {}, NOW + HOUR - 1)]).toEqual([NOW + HOUR, []]);
  });

  it("has the try in its record before it begins, under a name of its own, and counts it when it is whole", () => {
    const begun = kept(single(), spreading("east"));
    expect(states(begun)).toEqual(["west 1 kept", "east 1 owed", "north 1 owed", "east 2 coming"]);
    expect(begun.copies.at(-1)).toMatchObject({ assetName: `${ID}-i2`, dueAt: NOW + HOUR });
    expect([begun.spreadAt, spreadOf(begun, {}, NOW + HOUR - 1)]).toEqual([NOW + HOUR, []]);
    // What was looked at before it began changes nothing.
    expect(kept(begun, { type: "unspread", upload: 2, until: NOW })).toEqual(begun);
    const copied = kept(begun, { type: "copied", region: "east", upload: 2 });
    expect([states(copied).at(-1), copied.spreadAt]).toEqual(["east 2 kept", null]);
    expect(kept(copied, { type: "uncopied", region: "east", upload: 2 }, spreading("north", 3))).toEqual(copied);
  });

  it("is begun once: of several that want to, the first does", () => {
    const begun = kept(single(), spreading("east"));
    expect(kept(begun, spreading("north"), spreading("east"))).toEqual(begun);
    expect(kept(single(), spreading("west"))).toEqual(single());
  });

  it("is tried again, elsewhere first and ever more rarely, and a region that owes too much is left out", () => {
    let job = single();
    const [pauses, regions]: [number[], unknown[]] = [[], []];
    for (let upload = 2; upload <= 8; upload += 1) {
      const [duty] = spreadOf(job);
      if (duty?.type !== "spread" || duty.region === null) break;
      regions.push(duty.region);
      const at = job.spreadAt ?? 0;
      job = apply(job, { type: "spreading", region: duty.region, upload, until: at + HOUR }, KEEPING, at).job;
      job = apply(job, { type: "uncopied", region: duty.region, upload }, KEEPING, at).job;
      pauses.push((job.spreadAt ?? 0) - at);
    }
    expect(regions).toEqual(["east", "north", "east", "north"]);
    expect(pauses).toEqual([2, 4, 8, 16].map((times) => times * KEEPING.spreadMs));
    expect(spreadOf(job)).toMatchObject([{ region: null }]);
    const clean = kept(job, { type: "discarded", region: "north", upload: 3 });
    expect(spreadOf(clean)).toMatchObject([{ region: "north", upload: 6 }]);
  });

  it("is begun anew where whoever copied it has died, and what was left is removed", () => {
    const begun = kept(single(), spreading("east"));
    expect(spreadOf(begun, {}, NOW + HOUR)).toMatchObject([{ region: "north", upload: 3 }]);
    const again = kept(begun, spreading("north", 3));
    expect(states(again).slice(-2)).toEqual(["east 2 owed", "north 3 coming"]);
    // The one that was taken for dead was only slow.
    expect(kept(again, { type: "copied", region: "east", upload: 2 })).toEqual(again);
  });

  it("is left alone once the job is over; what comes late is removed, also where it was removed before", () => {
    const canceled = kept(single(), spreading("east"), { type: "cancel", by: "Ada" });
    expect([states(canceled).at(-1), canceled.spreadAt, spreadOf(canceled, {}, NOW + HOUR)]).toEqual(["east 2 owed", null, []]);
    expect(states(kept(canceled, { type: "copied", region: "east", upload: 2 })).at(-1)).toBe("east 2 owed");
    const removed = kept(canceled, { type: "discarded", region: "east", upload: 2 });
    expect(states(removed).at(-1)).toBe("north 1 owed");
    const late = kept(removed, { type: "copied", region: "east", upload: 2 });
    expect(late.copies.at(-1)).toMatchObject({ region: "east", upload: 2, assetName: `${ID}-i2`, state: "owed" });
    const retried = kept(canceled, { type: "retry", by: "Ada" });
    expect([retried.waitingFor, spreadOf(retried)]).toMatchObject(["new", [{ region: "north", upload: 3 }]]);
  });
});

const anyEvent: fc.Arbitrary<JobEvent> = fc.oneof(
  fc.constantFrom<JobEvent>(
    begin,
    { type: "uploading", regions: ["west"] },
    { type: "unsent" },
    { type: "retry", by: "Ada" },
    placedIn("west"),
  ),
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
  fc.record({
    type: fc.constantFrom("copied" as const, "uncopied" as const),
    upload: fc.integer({ min: 1, max: 6 }),
    region: fc.constantFrom("west", "east", "north"),
  }),
  fc.record({
    type: fc.constantFrom("spreading" as const, "unspread" as const),
    upload: fc.integer({ min: 1, max: 6 }),
    region: fc.constantFrom("west", "east", "north"),
    until: fc.integer({ min: NOW, max: NOW + HOUR }),
  }),
);

/** Each try has a name of its own in a region, a region keeps a file once, and one that keeps it alone is not left so. */
function expectSpread(job: EncodingJob): void {
  expect(new Set(job.copies.map(({ region, upload }) => `${region} ${upload}`)).size).toBe(job.copies.length);
  const keeping = job.copies.filter(({ state }) => state === "kept").map(({ region }) => region);
  expect(new Set(keeping).size).toBe(keeping.length);
  expect(job.spreadAt !== null).toBe(keeping.length === 1 && !isFinal(job));
}

describe("property: whatever comes, in whatever order", () => {
  it("no copy is forgotten, only whole ones can be read, and nothing is placed before there is one", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let job = awaiting();
        events.forEach((event, index) => {
          const next = apply(job, event, KEEPING, NOW + index * SECOND).job;
          const gone = job.copies.filter(
            (copy) => !next.copies.some(({ region, upload }) => region === copy.region && upload === copy.upload),
          );
          if (event.type !== "discarded") expect(gone).toEqual([]);
          job = next;
          const used = job.copies.filter(({ state }) => state !== "owed");
          expect(used.every(({ upload, state }) => state === "kept" || upload === job.uploads)).toBe(true);
          expectSpread(job);
          if (job.state === "finished") expect(used).toEqual([]);
          if (job.state === "finished" || job.state === "failed" || job.state === "canceled") expect(job.uploadBy).toBeNull();
          if (job.waitingFor === "upload") expect([job.placeAt, job.uploadBy === null]).toEqual([null, false]);
          // Whatever is left is looked after in time.
          if (job.copies.some(({ state }) => state === "owed")) expect(timersOf(job, KEEPING).follow).not.toBeNull();
        });
      }),
      { numRuns: 500 },
    );
  });
});
