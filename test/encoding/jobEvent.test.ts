import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sightingsOf } from "../../src/encoding/jobEvent.ts";
import { accountJobName, jobId, ownerOf } from "../../src/encoding/names.ts";
import { NOW } from "./samples.ts";

const envelope = {
  topic: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Media/mediaservices/AmsWest",
  subject: "transforms/ladder/jobs/job-a1",
  eventTime: "2026-01-01T00:00:01.2345678",
  id: "e",
  dataVersion: "1.0",
  metadataVersion: "1",
};
const AT = Date.UTC(2026, 0, 1, 0, 0, 1, 234);
const subject = { account: "amswest", jobName: "job-a1", at: AT };
const output = (changes: object) => ({
  "@odata.type": "#Microsoft.Media.JobOutputAsset",
  assetName: "asset",
  label: "o0",
  error: null,
  progress: 0,
  state: "Processing",
  ...changes,
});
const of = (eventType: string, data: object) => sightingsOf({ ...envelope, eventType: `Microsoft.Media.${eventType}`, data });
const ERROR = { code: "ServiceTransientError", message: "try again", category: "Service", retry: "MayRetry", details: [] };
const FAILURE = { code: "ServiceTransientError", message: "try again", category: "service", mayRetry: true };

describe("events of the media account", () => {
  it("of a job tell its state, in UTC, of an account whose name has no case", () => {
    expect(of("JobScheduled", { previousState: "Queued", state: "Scheduled", correlationData: {} })).toEqual([
      { ...subject, label: null, state: "scheduled", progress: null, failure: null },
    ]);
    expect(of("JobStateChange", { previousState: "Queued", state: "Processing" })).toMatchObject([{ state: "processing" }]);
  });

  it("of an ended job tell its outputs first, with whose fault it was", () => {
    const told = of("JobErrored", {
      previousState: "Processing",
      state: "Error",
      outputs: [output({ state: "Error", error: ERROR, progress: 30 })],
    });
    expect(told).toEqual([
      { ...subject, label: "o0", state: "error", progress: 30, failure: FAILURE },
      { ...subject, label: null, state: "error", progress: null, failure: null },
    ]);
  });

  it("of an output tell that output, and its progress", () => {
    expect(of("JobOutputFinished", { previousState: "Processing", output: output({ state: "Finished", progress: 100 }) })).toMatchObject([
      { label: "o0", state: "finished", progress: 100 },
    ]);
    expect(of("JobOutputProgress", { label: "o0", progress: 42, jobCorrelationData: {} })).toEqual([
      { ...subject, label: "o0", state: null, progress: 42, failure: null },
    ]);
  });

  it("of other kinds, or broken, tell nothing", () => {
    expect(of("LiveEventIngestHeartbeat", { state: "Running" })).toEqual([]);
    expect(of("JobScheduled", { state: "Sleeping" })).toEqual([]);
    expect(of("JobOutputProgress", { label: "o0", progress: 420 })).toEqual([]);
    expect(sightingsOf({ ...envelope, eventType: "Microsoft.Media.JobFinished", subject: "live/1", data: { state: "Finished" } })).toEqual(
      [],
    );
    expect(
      sightingsOf({ ...envelope, eventType: "Microsoft.Media.JobFinished", eventTime: "yesterday", data: { state: "Finished" } }),
    ).toEqual([]);
  });

  it("property: whatever arrives, nothing is thrown", () => {
    const taken = (event: unknown): void => {
      expect(Array.isArray(sightingsOf(event))).toBe(true);
    };
    fc.assert(fc.property(fc.anything(), taken));
    const parts = fc.record({
      eventType: fc.constantFrom("Microsoft.Media.JobFinished", "Microsoft.Media.JobOutputErrored"),
      data: fc.anything(),
    });
    fc.assert(fc.property(parts, (part) => taken({ ...envelope, ...part })));
  });
});

describe("names", () => {
  it("lead back to their job, whatever the time and the chance", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e12, noNaN: true }), fc.uuid(), fc.integer({ min: 1, max: 99 }), (now, uuid, attempt) => {
        const id = jobId(now, uuid);
        expect(ownerOf(accountJobName(id, attempt))).toEqual({ id, attempt });
      }),
    );
  });

  it("ascend with time, and of others nothing is known", () => {
    expect(jobId(NOW, "f".repeat(36)) < jobId(NOW + 1, "0".repeat(36))).toBe(true);
    for (const name of ["job-a1", "", "0mk1bdj1l945bed1fde79-a0", "0mk1bdj1l945bed1fde79-a1-o0"]) expect(ownerOf(name)).toBeNull();
  });
});
