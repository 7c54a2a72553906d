import { describe, expect, it } from "vitest";
import { ACCOUNT, API_KEY, fixture } from "./fixture.ts";

const HOUR_MS = 3_600_000;
const BASE = `/subscriptions/${ACCOUNT.subscriptionId}/resourceGroups/${ACCOUNT.resourceGroup}/providers/Microsoft.Media/mediaServices`;

describe("authentication", () => {
  it("gives a JWT for the subscription and its API key, as bare text", async () => {
    await using emulated = await fixture();
    const ask = async (body: object) =>
      emulated.account.app.request("http://management.test/auth/token", { method: "POST", body: JSON.stringify(body) });
    const answer = await ask({ subscriptionId: ACCOUNT.subscriptionId, apiKey: API_KEY });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await ask({ subscriptionId: ACCOUNT.subscriptionId, apiKey: "wrong" })).status).toBe(401);
    expect((await ask({ subscriptionId: "other", apiKey: API_KEY })).status).toBe(401);
  });

  it.each([
    ["no token", {}, "AuthenticationFailed"],
    ["another scheme", { authorization: "Basic abc" }, "AuthenticationFailed"],
    ["a token of somebody else", { authorization: "Bearer eyJhbGciOiJub25lIn0.e30." }, "InvalidAuthenticationToken"],
  ])("refuses %s", async (_, headers, code) => {
    await using emulated = await fixture();
    const answer = await emulated.account.app.request(`http://management.test${BASE}/media1?api-version=2021-11-01`, { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  it("refuses a token after its hour", async () => {
    await using emulated = await fixture();
    expect((await emulated.call("GET", "assets")).status).toBe(200);
    await emulated.clock.advance(HOUR_MS + 1000);
    const answer = await emulated.call("GET", "assets");
    expect([answer.status, answer.body]).toMatchObject([401, { error: { code: "ExpiredAuthenticationToken" } }]);
  });
});

describe("paths and headers", () => {
  it.each([
    `${BASE}/media1/assets`,
    `${BASE.toLowerCase()}/MEDIA1/ASSETS`,
    `/subscriptions/${ACCOUNT.subscriptionId}/resourcegroups/RG/providers/microsoft.media/mediaservices/media1/Assets`,
  ])("%s", async (path) => {
    await using emulated = await fixture();
    const answer = await emulated.call("GET", path);
    expect([answer.status, answer.body]).toEqual([200, { value: [] }]);
  });

  it.each([
    [`${BASE}/other`, 404, "ResourceNotFound"],
    [`${BASE}/other/assets`, 404, "ParentResourceNotFound"],
    [`${BASE.replace("/rg/", "/elsewhere/")}/media1`, 404, "ResourceGroupNotFound"],
    [`${BASE.replace(ACCOUNT.subscriptionId, "none")}/media1`, 404, "SubscriptionNotFound"],
    [`${BASE}/media1/mediaGraphs`, 404, "InvalidResourceType"],
    [`${BASE}/media1/assets/a%2Fb`, 400, "BadRequest"],
    [`${BASE}/media1/assets/%E0%A4%A`, 400, "BadRequest"],
    [`${BASE}/media1/assets?api-version=`, 400, "MissingApiVersionParameter"],
    ["/elsewhere", 404, "NotFound"],
  ])("GET %s answers %i %s", async (path, status, code) => {
    await using emulated = await fixture();
    const answer = await emulated.call("GET", path);
    expect([answer.status, answer.body]).toMatchObject([status, { error: { code } }]);
  });

  it("refuses other methods and bodies that are not JSON objects", async () => {
    await using emulated = await fixture();
    expect((await emulated.call("POST", "assets/a", {})).status).toBe(405);
    expect((await emulated.call("PUT", "assets/a", [])).body).toMatchObject({ error: { code: "InvalidRequestContent" } });
    expect((await emulated.call("PUT", "assets/a", { properties: { container: 7 } })).status).toBe(400);
  });

  it("writes errors of the service with CRLF and indentation, and echoes the client's request id", async () => {
    await using emulated = await fixture();
    const { text } = await emulated.call("GET", "assets/none");
    expect(text).toBe('{\r\n  "error": {\r\n    "code": "NotFound",\r\n    "message": "The requested resource was not found."\r\n  }\r\n}');
    const headers = { "x-ms-client-request-id": "mine" };
    const answer = await emulated.account.app.request("http://management.test/subscriptions/x", { headers });
    expect(answer.headers.get("x-ms-client-request-id")).toBe("mine");
    expect(answer.headers.get("x-ms-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("answers 500 without the text of a failure of its own, and reports it", async () => {
    const broken = new Error("the storage account's key is hunter2");
    const containers = { create: async () => Promise.reject(broken), delete: async () => undefined };
    await using emulated = await fixture({ containers });
    const answer = await emulated.call("PUT", "assets/a", {});
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("hunter2");
    expect(emulated.failures).toEqual([broken]);
    expect((await emulated.call("GET", "assets/a")).status).toBe(404);
  });
});
