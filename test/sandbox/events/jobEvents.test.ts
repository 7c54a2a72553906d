import { describe, expect, it } from "vitest";
import { sightingsOf } from "../../../src/encoding/jobEvent.ts";
import { JobEvents, type GridEvent } from "../../../src/sandbox/events/jobEvents.ts";
import { instantNow } from "../../../src/sandbox/management/times.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";
import { ACCOUNT, fixture, START } from "../management/fixture.ts";

const NO_ID = "00000000-0000-0000-0000-000000000000";

/** The events of one job, in order. */
async function told(fail: boolean): Promise<GridEvent[]> {
  const clock = new ManualClock(START);
  const random = seededRandom(5);
  const events = new JobEvents(ACCOUNT, random);
  const all: GridEvent[] = [];
  const options = {
    switches: { job: { queuedMs: 100, scheduledMs: 100, processingMs: 1000 } },
    jobChanged: (change: Parameters<JobEvents["changed"]>[0]) => void all.push(...events.changed(change, instantNow(clock, random))),
    jobProgressed: (...of: Parameters<typeof events.progressed> extends [infer Job, infer Output, unknown] ? [Job, Output] : never) =>
      void all.push(events.progressed(...of, instantNow(clock, random))),
  };
  await using emulated = await fixture(options, clock);
  if (fail) emulated.account.behaviour.change({ fail: { code: "DownloadTransientError", atPercent: 20, times: null } });
  for (const name of ["in", "out"]) await emulated.call("PUT", `assets/${name}`, { properties: {} });
  const preset = { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "AdaptiveStreaming" };
  await emulated.call("PUT", "transforms/t", { properties: { outputs: [{ preset }] } });
  const input = { "@odata.type": "#Microsoft.Media.JobInputAsset", assetName: "in" };
  const outputs = [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", assetName: "out", label: "film" }];
  await emulated.call("PUT", "transforms/t/jobs/j", { properties: { input, outputs, correlationData: { key: "value" } } });
  await clock.advance(2000);
  return all;
}

const short = ({ eventType }: GridEvent): string => eventType.replace("Microsoft.Media.", "");

describe("events of a job", () => {
  it("have the envelope of the service, and an id each but for progress", async () => {
    const all = await told(false);
    for (const event of all) {
      expect(event).toMatchObject({ subject: "transforms/t/jobs/j", dataVersion: "1.0", metadataVersion: "1" });
      expect(event.topic).toMatch(/^\/subscriptions\/.*\/providers\/Microsoft\.Media\/mediaservices\/media1$/i);
      expect(event.eventTime).toMatch(/^2026-03-01T12:00:0\d\.\d{7}$/);
      expect(event.id === NO_ID).toBe(short(event) === "JobOutputProgress");
    }
    const ids = all.map(({ id }) => id).filter((id) => id !== NO_ID);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("name every change in general and by its state, and the outputs at the end", async () => {
    const all = await told(false);
    const changes = all.map(short).filter((kind) => kind !== "JobOutputProgress");
    expect(changes).toEqual(
      ["Scheduled", "Processing", "Finished"].flatMap((state) => [
        "JobOutputStateChange",
        `JobOutput${state}`,
        "JobStateChange",
        `Job${state}`,
      ]),
    );
    expect(all.filter((event) => short(event) === "JobOutputProgress").map(({ data }) => data["progress"])).toEqual([
      10, 20, 30, 40, 50, 60, 70, 80, 90, 100,
    ]);
    expect(all.find((event) => short(event) === "JobFinished")?.data).toEqual({
      previousState: "Processing",
      state: "Finished",
      correlationData: { key: "value" },
      outputs: [
        {
          "@odata.type": "#Microsoft.Media.JobOutputAsset",
          assetName: "out",
          error: null,
          label: "film",
          progress: 100,
          state: "Finished",
        },
      ],
    });
    expect(all.find((event) => short(event) === "JobOutputScheduled")?.data).toMatchObject({
      previousState: "Queued",
      jobCorrelationData: { key: "value" },
      output: { label: "film", state: "Scheduled" },
    });
  });

  it("are understood by the encoding system, failures with their reasons", async () => {
    const sightings = (await told(true)).flatMap((event) => sightingsOf(event));
    const final = sightings.filter(({ state }) => state === "error");
    expect(final.filter(({ label }) => label === null).length).toBe(2);
    expect(final.find(({ label }) => label === "film")).toMatchObject({
      account: "media1",
      jobName: "j",
      failure: { code: "DownloadTransientError", category: "download", mayRetry: true },
    });
  });
});
