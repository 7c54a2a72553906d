import { describe, expect, it } from "vitest";
import { objectField, objectsField } from "../../../src/sandbox/management/fields.ts";
import { HOLDING_STATES } from "../../../src/sandbox/management/jobBehaviour.ts";
import { JOB_ERROR_CATEGORIES, JOB_ERROR_CODES, JOB_RETRIES } from "../../../src/sandbox/management/jobErrors.ts";
import type { MediaAccountOptions } from "../../../src/sandbox/management/mediaAccount.ts";
import { fixture, type Fixture } from "./fixture.ts";

const TIMES = { queuedMs: 100, scheduledMs: 100, processingMs: 1000 };
const ALL_MS = 1200;
const PRESET = { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "ContentAwareEncoding" };
const OUTPUT_ASSET = "#Microsoft.Media.JobOutputAsset";
const HTTP = { "@odata.type": "#Microsoft.Media.JobInputHttp", baseUri: "https://films.example/?x=1", files: ["film.mp4?sig=secret"] };

async function withTransform(
  options: Partial<MediaAccountOptions> = {},
  outputs: readonly object[] = [{ preset: PRESET }],
): Promise<Fixture> {
  const emulated = await fixture({ switches: { job: TIMES }, ...options });
  for (const name of ["in", "out", "other"]) await emulated.call("PUT", `assets/${name}`, { properties: { container: `${name}-files` } });
  expect((await emulated.call("PUT", "transforms/t", { properties: { outputs } })).status).toBe(201);
  return emulated;
}

async function submit(emulated: Fixture, name: string, properties: object = {}): Promise<number> {
  const input = { "@odata.type": "#Microsoft.Media.JobInputAsset", assetName: "in" };
  const outputs = [{ "@odata.type": OUTPUT_ASSET, assetName: "out" }];
  return (await emulated.call("PUT", `transforms/t/jobs/${name}`, { properties: { input, outputs, ...properties } })).status;
}

const job = async (emulated: Fixture, name: string) =>
  objectField((await emulated.call("GET", `transforms/t/jobs/${name}`)).body ?? {}, "properties");
const states = async (emulated: Fixture, ...names: readonly string[]) =>
  Promise.all(names.map(async (name) => (await job(emulated, name))["state"]));

describe("jobs that are held", () => {
  it.each(HOLDING_STATES.filter((state) => state !== "Canceling"))("stay in %s until they are let go, or canceled", async (state) => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ stuck: state });
    for (const name of ["one", "two"]) await submit(emulated, name);
    await emulated.clock.advance(1_800_000);
    expect(await states(emulated, "one", "two")).toEqual([state, state]);
    await emulated.call("POST", "transforms/t/jobs/one/cancelJob");
    emulated.account.behaviour.change({ stuck: null });
    await emulated.clock.advance(ALL_MS);
    expect(await states(emulated, "one", "two")).toEqual(["Canceled", "Finished"]);
  });

  it("stay in Canceling until they are let go", async () => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ stuck: "Canceling" });
    await submit(emulated, "one");
    await emulated.clock.advance(500);
    await emulated.call("POST", "transforms/t/jobs/one/cancelJob");
    await emulated.clock.advance(1_800_000);
    expect(await states(emulated, "one")).toEqual(["Canceling"]);
    emulated.account.behaviour.reset();
    await emulated.clock.advance(1);
    expect(await states(emulated, "one")).toEqual(["Canceled"]);
  });
});

describe("jobs whose encoder takes its time to let go", () => {
  it("are canceled when it has, and nothing else ends by it", async () => {
    const letGo = Promise.withResolvers<void>();
    await using emulated = await withTransform({
      encode: async (_job, _output, signal) => {
        await letGo.promise;
        signal.throwIfAborted();
      },
    });
    await submit(emulated, "one");
    await emulated.clock.advance(500);
    await emulated.call("POST", "transforms/t/jobs/one/cancelJob");
    // A rejection that nobody waits for ends the process.
    await emulated.clock.advance(60_000);
    expect(await states(emulated, "one")).toEqual(["Canceling"]);
    letGo.resolve();
    await emulated.clock.advance(1);
    expect(await states(emulated, "one")).toEqual(["Canceled"]);
  });
});

describe("capacity", () => {
  it("queues what is too much, and takes the most urgent first", async () => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ maxConcurrent: 1 });
    await submit(emulated, "first");
    await emulated.clock.advance(150);
    for (const [name, priority] of [
      ["low", "Low"],
      ["normal", "Normal"],
      ["high", "High"],
    ] as const)
      await submit(emulated, name, { priority });
    await emulated.clock.advance(200);
    const names = ["first", "high", "normal", "low"];
    expect(await states(emulated, ...names)).toEqual(["Processing", "Queued", "Queued", "Queued"]);
    await emulated.clock.advance(1050);
    expect(await states(emulated, ...names)).toEqual(["Finished", "Processing", "Queued", "Queued"]);
    await emulated.clock.advance(1100);
    expect(await states(emulated, ...names)).toEqual(["Finished", "Finished", "Processing", "Queued"]);
    emulated.account.behaviour.change({ maxConcurrent: 2 });
    await emulated.clock.advance(200);
    expect(await states(emulated, ...names)).toEqual(["Finished", "Finished", "Processing", "Processing"]);
  });

  it("gives a place back when its job is canceled, also where it was queued", async () => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ maxConcurrent: 1, stuck: "Scheduled" });
    for (const name of ["one", "two", "three"]) await submit(emulated, name);
    await emulated.clock.advance(500);
    for (const name of ["one", "two"]) await emulated.call("POST", `transforms/t/jobs/${name}/cancelJob`);
    await emulated.clock.advance(100);
    expect(await states(emulated, "one", "two", "three")).toEqual(["Canceled", "Canceled", "Scheduled"]);
  });
});

describe("failures", () => {
  const cases = JOB_ERROR_CODES.flatMap((code) =>
    JOB_ERROR_CATEGORIES.flatMap((category) => JOB_RETRIES.map((retry) => [code, category, retry] as const)),
  );

  it("have every code, category and retry class", async () => {
    await using emulated = await withTransform();
    for (const [at, [code, category, retry]] of cases.entries()) {
      emulated.account.behaviour.change({ fail: { code, category, retry, atPercent: 50, times: 1 } });
      await submit(emulated, `j${at}`);
      await emulated.clock.advance(ALL_MS);
      const error = { code, category, retry, details: [{ code, message: "the sandbox was told to fail this job" }] };
      expect(await job(emulated, `j${at}`)).toMatchObject({ state: "Error", outputs: [{ state: "Error", progress: 50, error }] });
    }
  });

  it("are those of the code where nothing else is asked for, and as many as were asked for", async () => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ fail: { code: "UploadTransientError", atPercent: 0, times: 2 } });
    for (const name of ["one", "two", "three"]) await submit(emulated, name);
    await emulated.clock.advance(ALL_MS);
    expect(await states(emulated, "one", "two", "three")).toEqual(["Error", "Error", "Finished"]);
    expect(await job(emulated, "one")).toMatchObject({ outputs: [{ error: { category: "Upload", retry: "MayRetry" } }] });
  });

  it.each([
    ["StopProcessingJob", "Error", ["Error", "Canceled"]],
    ["ContinueJob", "Finished", ["Error", "Finished"]],
  ])("of an output with %s leave the job in %s", async (onError, state, outputStates) => {
    const encode: MediaAccountOptions["encode"] = async (_, { label }, __, pace) => {
      if (label === "a") throw new Error("out of ink");
      await pace.due();
    };
    await using emulated = await withTransform({ encode }, [{ preset: PRESET, onError }, { preset: PRESET }]);
    const outputs = [
      { label: "a", assetName: "out" },
      { label: "b", assetName: "other" },
    ].map((each) => ({ "@odata.type": OUTPUT_ASSET, ...each }));
    await submit(emulated, "one", { outputs });
    await emulated.clock.advance(ALL_MS);
    const seen = await job(emulated, "one");
    expect(seen["state"]).toBe(state);
    expect(objectsField(seen, "outputs").map((output) => output["state"])).toEqual(outputStates);
    expect(seen).toMatchObject({ outputs: [{ error: { code: "ServiceError", details: [{ message: "out of ink" }] } }, {}] });
  });
});

describe("progress", () => {
  it("goes no further than the encoder, and tells every step once", async () => {
    const told: number[] = [];
    const work = Promise.withResolvers<void>();
    const encode: MediaAccountOptions["encode"] = async (_, __, ___, pace) => {
      pace.progress(34);
      await work.promise;
      await pace.due();
    };
    const jobProgressed = (_: unknown, { progress }: { readonly progress: number }): void => void told.push(progress);
    await using emulated = await withTransform({ encode, jobProgressed });
    await submit(emulated, "one");
    await emulated.clock.advance(10 * ALL_MS);
    expect(told).toEqual([10, 20, 30]);
    expect(await states(emulated, "one")).toEqual(["Processing"]);
    work.resolve();
    await emulated.clock.advance(1);
    expect(told).toEqual([10, 20, 30, 90, 100]);
    expect(await states(emulated, "one")).toEqual(["Finished"]);
  });
});

describe("an API that fails", () => {
  it("fails for transforms and jobs alone, so many calls, and says when to come again", async () => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ api: { status: 429, retryAfterS: 7, afterEffect: false, times: 2 } });
    const refused = await emulated.call("GET", "transforms/t/jobs");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "7"]);
    expect((await emulated.call("GET", "assets/in")).status).toBe(200);
    expect(await submit(emulated, "one")).toBe(429);
    expect((await emulated.call("GET", "transforms/t/jobs/one")).status).toBe(404);
  });

  it.each([401, 403, 500, 503])("answers %i after it has done what was asked for, where it is told so", async (status) => {
    await using emulated = await withTransform();
    emulated.account.behaviour.change({ api: { status, retryAfterS: null, afterEffect: true, times: 1 } });
    expect(await submit(emulated, "one")).toBe(status);
    expect(await states(emulated, "one")).toEqual(["Queued"]);
  });
});

describe("inputs and presets", () => {
  it("keep the query strings of their addresses to themselves", async () => {
    const seen: unknown[] = [];
    await using emulated = await withTransform({ encode: async ({ input }) => Promise.resolve(void seen.push(input)) });
    expect(await submit(emulated, "one", { input: HTTP })).toBe(201);
    expect((await job(emulated, "one"))["input"]).toEqual({
      ...HTTP,
      baseUri: "https://films.example/",
      files: ["film.mp4"],
      inputDefinitions: [],
    });
    await emulated.clock.advance(ALL_MS);
    expect(seen).toMatchObject([HTTP]);
  });

  const clip = (start: string, end: string): object => ({
    ...HTTP,
    start: { "@odata.type": "#Microsoft.Media.AbsoluteClipTime", time: start },
    end: { "@odata.type": "#Microsoft.Media.AbsoluteClipTime", time: end },
  });

  it.each([
    ["a sequence", { "@odata.type": "#Microsoft.Media.JobInputSequence", inputs: [HTTP] }, /does not encode sequences/],
    ["two inputs", { "@odata.type": "#Microsoft.Media.JobInputs", inputs: [HTTP, HTTP] }, /exactly one input/],
    ["no file", { ...HTTP, files: [] }, /'files' is required/],
    ["another protocol", { ...HTTP, baseUri: "file:///etc/", files: ["passwd"] }, /begins with https/],
    ["a name that is too long", { ...HTTP, files: ["x".repeat(4001)] }, /4000 characters/],
    ["tracks", { ...HTTP, inputDefinitions: [{ "@odata.type": "#Microsoft.Media.InputFile" }] }, /does not select tracks/],
    ["a clip that ends before it starts", clip("PT5S", "PT2S"), /must be after/],
    ["no duration", clip("5", "PT2S"), /not a duration/],
    ["a time of day", { ...HTTP, start: { "@odata.type": "#Microsoft.Media.UtcClipTime", time: "2026-01-01" } }, /AbsoluteClipTime/],
    ["nothing known", { "@odata.type": "#Microsoft.Media.JobInputTape" }, /no input of the type/],
  ])("are refused with %s", async (_, input, message) => {
    await using emulated = await withTransform();
    const outputs = [{ "@odata.type": OUTPUT_ASSET, assetName: "out" }];
    const answer = await emulated.call("PUT", "transforms/t/jobs/one", { properties: { input, outputs } });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(message);
  });

  it.each([
    [{ ...PRESET, presetName: "Betamax" }, /'Betamax' is not known/],
    [{ "@odata.type": "#Microsoft.Media.Preset" }, /not a known preset/],
    [{ "@odata.type": "#Microsoft.Media.StandardEncoderPreset", codecs: [], formats: [] }, /'codecs' is required/],
  ])("a transform is refused with %o", async (preset, message) => {
    await using emulated = await withTransform();
    const answer = await emulated.call("PUT", "transforms/u", { properties: { outputs: [{ preset }] } });
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(message)]);
  });

  it("a job's own preset takes the place of its transform's", async () => {
    const presets: unknown[] = [];
    await using emulated = await withTransform({ encode: async (_, { preset }) => Promise.resolve(void presets.push(preset)) });
    const presetOverride = { ...PRESET, presetName: "H264SingleBitrateSD" };
    await submit(emulated, "one", { outputs: [{ "@odata.type": OUTPUT_ASSET, assetName: "out", presetOverride }] });
    expect(await job(emulated, "one")).toMatchObject({ outputs: [{ presetOverride }] });
    await emulated.clock.advance(ALL_MS);
    expect(presets).toEqual([presetOverride]);
  });
});
