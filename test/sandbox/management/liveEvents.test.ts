/** Live events and live outputs of the emulator, over its HTTP surface, on a clock that the tests move. */
import { describe, expect, it } from "vitest";
import { asText, objectField } from "../../../src/sandbox/management/fields.ts";
import { fixture, type Answer, type Fixture } from "./fixture.ts";

const OPERATION_MS = 2000;
const EVENT = "liveEvents/show";
const OUTPUT = `${EVENT}/liveOutputs/out`;
const SETTINGS = {
  input: { streamingProtocol: "RTMP", keyFrameIntervalDuration: "PT2S" },
  encoding: { encodingType: "PassthroughStandard" },
};
const WINDOW = { assetName: "a", archiveWindowLength: "PT1H", manifestName: "show" };

const properties = (answer: Answer) => objectField(answer.body ?? {}, "properties");
const operation = (answer: Answer) => (answer.headers.get("azure-asyncoperation") ?? "").replace("http://management.test", "");
const location = (answer: Answer) => (answer.headers.get("location") ?? "").replace("http://management.test", "");

async function state(emulated: Fixture, path = EVENT): Promise<string> {
  const { resourceState, provisioningState } = properties(await emulated.call("GET", path));
  return `${asText(resourceState)} ${asText(provisioningState)}`;
}

async function withEvent(settings: object = SETTINGS): Promise<Fixture> {
  const emulated = await fixture();
  expect((await emulated.call("PUT", EVENT, { location: "westeurope", properties: settings })).status).toBe(201);
  await emulated.clock.advance(OPERATION_MS);
  return emulated;
}

describe("live events", () => {
  it("are created by an operation that can be followed to its end, and listed", async () => {
    await using emulated = await fixture();
    const created = await emulated.call("PUT", EVENT, { location: "westeurope", properties: SETTINGS });
    expect([created.status, properties(created)["resourceState"]]).toEqual([201, "Creating"]);
    expect((await emulated.call("GET", operation(created))).body).toMatchObject({ status: "InProgress" });
    expect((await emulated.call("GET", location(created))).status).toBe(202);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("GET", operation(created))).body).toMatchObject({ status: "Succeeded" });
    expect((await emulated.call("GET", location(created))).body).toMatchObject({
      name: "show",
      type: "Microsoft.Media/mediaservices/liveevents",
    });
    expect(await state(emulated)).toBe("Stopped Succeeded");
    expect((await emulated.call("GET", "liveEvents")).body).toMatchObject({ value: [{ name: "show", location: "West Europe" }] });
  });

  it("go through their states, and refuse what is not possible in them", async () => {
    await using emulated = await withEvent();
    const act = async (action: string) => (await emulated.call("POST", `${EVENT}/${action}`, action === "stop" ? {} : undefined)).status;
    expect([await act("stop"), await act("reset")]).toEqual([400, 400]);
    expect(await act("allocate")).toBe(202);
    expect(await state(emulated)).toBe("Allocating InProgress");
    expect(await act("start")).toBe(409);
    await emulated.clock.advance(OPERATION_MS);
    expect(await state(emulated)).toBe("StandBy Succeeded");
    expect(await act("start")).toBe(202);
    expect(await state(emulated)).toBe("Starting InProgress");
    await emulated.clock.advance(OPERATION_MS);
    expect([await state(emulated), await act("start")]).toEqual(["Running Succeeded", 400]);
    expect((await emulated.call("DELETE", EVENT)).status).toBe(400);
    expect(await act("reset")).toBe(202);
    await emulated.clock.advance(OPERATION_MS);
    expect(await act("stop")).toBe(202);
    expect(await state(emulated)).toBe("Stopping InProgress");
    await emulated.clock.advance(OPERATION_MS);
    const deleting = await emulated.call("DELETE", EVENT);
    expect(deleting.status).toBe(202);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("GET", EVENT)).body).toMatchObject({ error: { code: "ResourceNotFound" } });
    expect((await emulated.call("GET", location(deleting))).status).toBe(204);
    expect((await emulated.call("DELETE", EVENT)).status).toBe(204);
  });

  it("start by themselves where that is asked for", async () => {
    await using emulated = await fixture();
    await emulated.call("PUT", `${EVENT}?autoStart=true`, { location: "westeurope", properties: SETTINGS });
    await emulated.clock.advance(OPERATION_MS);
    expect(await state(emulated)).toBe("Running Succeeded");
  });

  it("show addresses while they run, and always at a static host name; with the token that was given", async () => {
    await using emulated = await withEvent();
    const endpoints = async () => objectField(properties(await emulated.call("GET", EVENT)), "input")["endpoints"];
    expect(await endpoints()).toEqual([]);
    await emulated.call("POST", `${EVENT}/start`);
    await emulated.clock.advance(OPERATION_MS);
    expect(await endpoints()).toHaveLength(2);
    const accessToken = "0f3c1b52-6f0e-4d3c-9d57-0d8f6a1f2b3c";
    await using fixed = await withEvent({
      ...SETTINGS,
      useStaticHostname: true,
      input: { streamingProtocol: "FragmentedMP4", accessToken },
    });
    const { input } = properties(await fixed.call("GET", EVENT));
    expect(JSON.stringify(input)).toContain(`/${accessToken.replaceAll("-", "")}/ingest.isml`);
  });

  it.each<readonly [settings: object, why: string]>([
    [{}, "no protocol"],
    [{ input: { streamingProtocol: "SRT" } }, "a protocol of another kind"],
    [{ input: { streamingProtocol: "RTMP", accessToken: "x" } }, "a token that is no GUID"],
    [{ input: { streamingProtocol: "RTMP", keyFrameIntervalDuration: "2s" } }, "a duration that is none"],
    [{ input: { streamingProtocol: "RTMP" }, encoding: { encodingType: "Best" } }, "an encoding of another kind"],
  ])("are refused with %j: %s", async (settings) => {
    await using emulated = await fixture();
    expect((await emulated.call("PUT", EVENT, { location: "westeurope", properties: settings })).status).toBe(400);
    expect((await emulated.call("PUT", "liveEvents/not_valid", { location: "westeurope", properties: SETTINGS })).status).toBe(400);
  });

  it("change their description while stopped, and never what they are", async () => {
    await using emulated = await withEvent();
    expect((await emulated.call("PATCH", EVENT, { properties: { description: "d" } })).body).toMatchObject({
      properties: { description: "d" },
    });
    const other = { ...SETTINGS, input: { streamingProtocol: "FragmentedMP4" } };
    expect((await emulated.call("PUT", EVENT, { location: "westeurope", properties: other })).status).toBe(400);
    await emulated.call("POST", `${EVENT}/start`);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("PATCH", EVENT, { properties: { description: "e" } })).status).toBe(400);
  });
});

describe("live outputs", () => {
  it("record into an asset, which is on air while the event runs, and stay as a recording", async () => {
    const signal: string[] = [];
    const note = (what: string) => async (container: string | null, name: string) => void signal.push(`${what} ${container ?? ""} ${name}`);
    await using emulated = await fixture({ liveSignal: { begin: note("begin"), end: note("end") } });
    await emulated.call("PUT", EVENT, { location: "westeurope", properties: SETTINGS });
    await emulated.call("PUT", "assets/a", { properties: { container: "recorded" } });
    await emulated.clock.advance(OPERATION_MS);
    const { view } = emulated.account;
    expect(view.offAir("a")).toBe(false);
    expect((await emulated.call("PUT", OUTPUT, { properties: WINDOW })).status).toBe(201);
    expect([view.offAir("A"), signal]).toEqual([true, ["begin recorded show"]]);
    await emulated.clock.advance(OPERATION_MS);
    expect(await state(emulated, OUTPUT)).toBe("Running Succeeded");
    expect((await emulated.call("GET", `${EVENT}/liveOutputs`)).body).toMatchObject({ value: [{ name: "out", properties: WINDOW }] });
    await emulated.call("POST", `${EVENT}/start`);
    await emulated.clock.advance(OPERATION_MS);
    expect(view.offAir("a")).toBe(false);
    await emulated.call("POST", `${EVENT}/stop`, {});
    expect(view.offAir("a")).toBe(true);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("DELETE", EVENT)).status).toBe(400);
    expect((await emulated.call("DELETE", OUTPUT)).status).toBe(202);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("DELETE", OUTPUT)).status).toBe(204);
    expect([view.offAir("a"), signal[1]]).toEqual([false, "end recorded show"]);
    expect((await emulated.call("GET", "assets/a")).status).toBe(200);
  });

  it("go with the stop that is asked to remove them", async () => {
    await using emulated = await withEvent();
    await emulated.call("PUT", "assets/a", { properties: {} });
    await emulated.call("PUT", OUTPUT, { properties: WINDOW });
    await emulated.call("POST", `${EVENT}/start`);
    await emulated.clock.advance(OPERATION_MS);
    await emulated.call("POST", `${EVENT}/stop`, { removeOutputsOnStop: true });
    expect((await emulated.call("GET", `${EVENT}/liveOutputs`)).body).toEqual({ value: [] });
  });

  it("are refused without their event, their asset, a window, or twice", async () => {
    await using emulated = await withEvent();
    const put = async (path: string, change: object = {}) =>
      (await emulated.call("PUT", path, { properties: { ...WINDOW, ...change } })).status;
    expect(await put(OUTPUT)).toBe(400);
    await emulated.call("PUT", "assets/a", { properties: {} });
    expect(await put("liveEvents/none/liveOutputs/out")).toBe(404);
    expect(await put(OUTPUT, { archiveWindowLength: null })).toBe(400);
    expect(await put(OUTPUT, { archiveWindowLength: "4h" })).toBe(400);
    expect(await put(OUTPUT)).toBe(201);
    expect(await put(OUTPUT)).toBe(409);
    expect(await put(`${EVENT}/liveOutputs/other`)).toBe(400);
    expect((await emulated.call("GET", `${EVENT}/liveOutputs/none`)).body).toMatchObject({ error: { code: "ResourceNotFound" } });
    expect((await emulated.call("GET", "liveOutputOperations/unknown")).status).toBe(404);
  });
});
