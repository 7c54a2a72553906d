import { describe, expect, it } from "vitest";
import { asText, objectField } from "../../../src/sandbox/management/fields.ts";
import type { JobChange, OutputAsset } from "../../../src/sandbox/management/jobRunner.ts";
import type { MediaAccountOptions } from "../../../src/sandbox/management/mediaAccount.ts";
import { fixture, type Answer, type Fixture } from "./fixture.ts";

const TIMES = { queuedMs: 100, scheduledMs: 100, processingMs: 1000 };
const JOB = "transforms/t/jobs/j";
const PRESET = { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "AdaptiveStreaming" };
const SENT = {
  input: { "@odata.type": "#Microsoft.Media.JobInputAsset", assetName: "in" },
  outputs: [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", assetName: "out" }],
  correlationData: { key: "value" },
};

async function withTransform(options: Partial<MediaAccountOptions> = {}): Promise<Fixture> {
  const emulated = await fixture({ switches: { job: TIMES }, ...options });
  for (const name of ["in", "out"]) await emulated.call("PUT", `assets/${name}`, { properties: { container: `${name}-files` } });
  await emulated.call("PUT", "transforms/t", { properties: { outputs: [{ preset: PRESET }] } });
  return emulated;
}

const start = async (emulated: Fixture) => emulated.call("PUT", JOB, { properties: SENT });
const job = (answer: Answer) => objectField(answer.body ?? {}, "properties");
const state = async (emulated: Fixture) => job(await emulated.call("GET", JOB))["state"];

describe("jobs", () => {
  it("go through their states with the clock, and fill their output asset at the end", async () => {
    const encoded: OutputAsset[] = [];
    await using emulated = await withTransform({
      encode: async (_, output, __, pace) => {
        await pace.due();
        encoded.push(output);
      },
    });
    const created = await start(emulated);
    expect(created.status).toBe(201);
    expect(job(created)).toMatchObject({ state: "Queued", priority: "Normal", correlationData: { key: "value" } });
    expect(job(created)["outputs"]).toEqual([
      {
        "@odata.type": "#Microsoft.Media.JobOutputAsset",
        state: "Queued",
        progress: 0,
        label: "BuiltInStandardEncoderPreset_0",
        assetName: "out",
      },
    ]);
    await emulated.clock.advance(100);
    expect(await state(emulated)).toBe("Scheduled");
    await emulated.clock.advance(600);
    expect(job(await emulated.call("GET", JOB))).toMatchObject({ state: "Processing", outputs: [{ state: "Processing", progress: 50 }] });
    expect(encoded).toEqual([]);
    await emulated.clock.advance(600);
    const finished = job(await emulated.call("GET", JOB));
    expect(finished).toMatchObject({ state: "Finished", outputs: [{ state: "Finished", progress: 100 }] });
    expect(Date.parse(asText(finished["endTime"])) - Date.parse(asText(finished["startTime"]))).toBeGreaterThanOrEqual(1000);
    expect(encoded).toEqual([{ assetName: "out", container: "out-files", label: "BuiltInStandardEncoderPreset_0", preset: PRESET }]);
  });

  it("end in Error when the encoder fails, with the reason", async () => {
    await using emulated = await withTransform({ encode: async () => Promise.reject(new Error("no video track")) });
    await start(emulated);
    await emulated.clock.advance(2000);
    const error = { category: "Service", retry: "MayRetry", details: [{ message: "no video track" }] };
    expect(job(await emulated.call("GET", JOB))).toMatchObject({ state: "Error", outputs: [{ state: "Error", error }] });
  });

  it("are cancelled, and never change again", async () => {
    await using emulated = await withTransform();
    await start(emulated);
    await emulated.clock.advance(500);
    expect((await emulated.call("POST", `${JOB}/cancelJob`)).status).toBe(200);
    await emulated.clock.advance(5000);
    expect(await state(emulated)).toBe("Canceled");
    expect((await emulated.call("POST", `${JOB}/cancelJob`)).status).toBe(400);
    expect((await emulated.call("PATCH", JOB, { properties: { priority: "High" } })).status).toBe(400);
    expect((await emulated.call("DELETE", JOB)).status).toBe(200);
    expect((await emulated.call("GET", JOB)).status).toBe(404);
  });

  it("cannot be deleted while they run, in the service's words, nor be put again", async () => {
    await using emulated = await withTransform();
    await start(emulated);
    const refused = await emulated.call("DELETE", JOB);
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringMatching(
        /^.*The job Delete operation for '\/subscriptions\/.*\/transforms\/t\/jobs\/j' resource failed\. The job is in the 'Queued' state\. Cancel the job or retry after the processing completes\./s,
      ),
    ]);
    expect((await start(emulated)).status).toBe(409);
    expect((await emulated.call("PATCH", JOB, { properties: { priority: "High" } })).body).toMatchObject({
      properties: { priority: "High" },
    });
  });

  it.each([
    { ...SENT, outputs: [] },
    { ...SENT, outputs: [{ ...SENT.outputs[0], assetName: "none" }] },
    { ...SENT, input: { ...SENT.input, assetName: "none" } },
    { ...SENT, priority: "Urgent" },
  ])("are refused with %o", async (properties) => {
    await using emulated = await withTransform();
    expect((await emulated.call("PUT", JOB, { properties })).status).toBe(400);
  });

  it("report every change once, in order", async () => {
    const changes: string[] = [];
    const jobChanged = ({ output, previousState, state: entered }: JobChange) => {
      if (output === null) changes.push(`${previousState}>${entered}`);
    };
    await using emulated = await withTransform({ jobChanged });
    await start(emulated);
    await emulated.clock.advance(2000);
    expect(changes).toEqual(["Queued>Scheduled", "Scheduled>Processing", "Processing>Finished"]);
  });

  it("stop with the account", async () => {
    const emulated = await withTransform();
    await start(emulated);
    await emulated[Symbol.asyncDispose]();
    expect(await state(emulated)).toBe("Canceled");
  });
});
