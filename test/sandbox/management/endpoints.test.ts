import { describe, expect, it } from "vitest";
import { asText, objectField } from "../../../src/sandbox/management/fields.ts";
import { fixture, type Answer, type Fixture } from "./fixture.ts";

const OPERATION_MS = 2000;
const DEFAULT = "streamingEndpoints/default";
const properties = (answer: Answer) => objectField(answer.body ?? {}, "properties");

async function state(emulated: Fixture): Promise<unknown> {
  const { resourceState, provisioningState } = properties(await emulated.call("GET", DEFAULT));
  return `${asText(resourceState)} ${asText(provisioningState)}`;
}

function operation(answer: Answer): string {
  return (answer.headers.get("azure-asyncoperation") ?? "").replace("http://management.test", "");
}

describe("streaming endpoints", () => {
  it("come with the account, running, at the region's host", async () => {
    await using emulated = await fixture();
    const answer = await emulated.call("GET", DEFAULT);
    expect(properties(answer)).toMatchObject({ hostName: "127.0.0.1:8081", resourceState: "Running" });
    expect(answer.body).toMatchObject({ location: "West Europe", sku: { name: "Standard", capacity: 0 } });
    expect(emulated.account.view.streamingRunning()).toBe(true);
  });

  it("stop and start as long-running operations", async () => {
    await using emulated = await fixture();
    const stopping = await emulated.call("POST", `${DEFAULT}/stop`);
    expect([stopping.status, stopping.text]).toEqual([202, ""]);
    expect(await state(emulated)).toBe("Stopping InProgress");
    expect(emulated.account.view.streamingRunning()).toBe(false);
    expect((await emulated.call("GET", operation(stopping))).body).toMatchObject({ status: "InProgress" });
    const busy = await emulated.call("POST", `${DEFAULT}/start`);
    expect([busy.status, busy.body]).toMatchObject([409, { error: { code: "OperationInProgress" } }]);
    await emulated.clock.advance(OPERATION_MS);
    expect(await state(emulated)).toBe("Stopped Succeeded");
    expect((await emulated.call("GET", operation(stopping))).body).toMatchObject({ status: "Succeeded" });
    await emulated.call("POST", `${DEFAULT}/start`);
    expect(await state(emulated)).toBe("Starting InProgress");
    await emulated.clock.advance(OPERATION_MS);
    expect(emulated.account.view.streamingRunning()).toBe(true);
  });

  it("can be scaled, patched and deleted", async () => {
    await using emulated = await fixture();
    await emulated.call("PUT", "streamingEndpoints/second", { location: "westeurope", properties: { scaleUnits: 1 } });
    expect((await emulated.call("POST", "streamingEndpoints/second/scale", { scaleUnit: 2 })).status).toBe(409);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("POST", "streamingEndpoints/second/scale", { scaleUnit: 2 })).status).toBe(200);
    expect((await emulated.call("POST", "streamingEndpoints/second/scale", { scaleUnit: -2 })).status).toBe(400);
    expect((await emulated.call("PATCH", "streamingEndpoints/second", { properties: { description: "d" } })).body).toMatchObject({
      properties: { description: "d", scaleUnits: 2, accessControl: null },
    });
    expect((await emulated.call("DELETE", "streamingEndpoints/second")).status).toBe(202);
    await emulated.clock.advance(OPERATION_MS);
    expect((await emulated.call("GET", "streamingEndpoints/second")).body).toMatchObject({ error: { code: "ResourceNotFound" } });
    expect((await emulated.call("DELETE", DEFAULT)).status).toBe(400);
    expect((await emulated.call("GET", "streamingEndpointOperations/unknown")).status).toBe(404);
  });
});

describe("the account", () => {
  it("is listed by subscription and by resource group", async () => {
    await using emulated = await fixture();
    const subscription = "/subscriptions/11111111-2222-3333-4444-555555555555";
    for (const scope of [subscription, `${subscription}/resourceGroups/rg`]) {
      const { body } = await emulated.call("GET", `${scope}/providers/Microsoft.Media/mediaServices`);
      expect(body).toMatchObject({ value: [{ name: "media1", location: "West Europe", properties: { provisioningState: "Succeeded" } }] });
    }
  });

  it("is updated by PUT and PATCH and keeps its id", async () => {
    await using emulated = await fixture();
    const before = (await emulated.call("GET", "")).body ?? {};
    const put = await emulated.call("PUT", "", { ...before, tags: { a: "b" } });
    expect([put.status, put.body]).toMatchObject([200, { tags: { a: "b" }, properties: before["properties"] }]);
    const patched = await emulated.call("PATCH", "", { properties: { publicNetworkAccess: "Disabled" } });
    expect(patched.body).toMatchObject({ tags: { a: "b" }, properties: { publicNetworkAccess: "Disabled" } });
    expect((await emulated.call("PUT", "", { location: "westeurope", properties: {} })).status).toBe(400);
  });

  it("takes everything with it when it is deleted", async () => {
    await using emulated = await fixture();
    await emulated.call("PUT", "assets/film", {});
    const before = (await emulated.call("GET", "")).body ?? {};
    expect((await emulated.call("DELETE", "")).status).toBe(200);
    expect((await emulated.call("GET", "assets")).body).toMatchObject({ error: { code: "ParentResourceNotFound" } });
    expect((await emulated.call("PUT", "", before)).status).toBe(201);
    expect((await emulated.call("GET", "assets")).body).toEqual({ value: [] });
  });
});
