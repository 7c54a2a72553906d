import { describe, expect, it } from "vitest";
import { asText, isList, objectField } from "../../../src/sandbox/management/fields.ts";
import { fixture, START, type Answer, type Fixture } from "./fixture.ts";

const properties = (answer: Answer) => objectField(answer.body ?? {}, "properties");
const isoIn = (ms: number) => new Date(START + ms).toISOString();
const HOUR_MS = 3_600_000;

async function sas(emulated: Fixture, permissions: string, expiryTime: string): Promise<Answer> {
  return emulated.call("POST", "assets/film/listContainerSas", { permissions, expiryTime });
}

describe("assets", () => {
  it("come with a container, named after the asset's id where none is asked for", async () => {
    await using emulated = await fixture();
    const created = await emulated.call("PUT", "assets/film", { properties: { description: "d" } });
    const { assetId, container } = properties(created);
    expect(created.status).toBe(201);
    expect(container).toBe(`asset-${asText(assetId)}`);
    expect([...emulated.containers]).toEqual([container]);
    expect(emulated.account.view.container("FILM")).toBe(container);
  });

  it("do not name the chosen container in the reply to PUT of older versions", async () => {
    await using emulated = await fixture();
    expect(properties(await emulated.call("PUT", "assets/film?api-version=2021-11-01", {}))).not.toHaveProperty("container");
    expect(properties(await emulated.call("GET", "assets/film?api-version=2021-11-01"))).toHaveProperty("container");
  });

  it("keep id and creation time when they are put again, and lose what is left out; PATCH keeps it", async () => {
    await using emulated = await fixture();
    const first = properties(await emulated.call("PUT", "assets/film", { properties: { description: "d", alternateId: "a" } }));
    await emulated.clock.advance(1000);
    const patched = properties(await emulated.call("PATCH", "assets/film", { properties: { description: "e" } }));
    expect(patched).toEqual({ ...first, description: "e", lastModified: patched["lastModified"] });
    expect(patched["lastModified"]).not.toBe(first["lastModified"]);
    const again = await emulated.call("PUT", "assets/film", {});
    expect(again.status).toBe(200);
    expect(properties(again)).not.toHaveProperty("alternateId");
    expect(properties(again)["assetId"]).toBe(first["assetId"]);
  });

  it("refuse the container of another asset in the service's words, also when both are put at once", async () => {
    await using emulated = await fixture();
    const put = async (name: string) => emulated.call("PUT", `assets/${name}`, { properties: { container: "media" } });
    const statuses = (await Promise.all([put("one"), put("two")])).map(({ status }) => status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([201, 400]);
    expect((await put("three")).text).toContain("Cannot insert duplicate key row in object 'dbo.media'");
  });

  it.each([{ container: "No Capitals" }, { storageAccountName: "elsewhere" }])("refuse %o", async (wanted) => {
    await using emulated = await fixture();
    expect((await emulated.call("PUT", "assets/film", { properties: wanted })).status).toBe(400);
    expect(emulated.containers.size).toBe(0);
  });

  it("take their locators, filters and container with them", async () => {
    await using emulated = await fixture();
    await emulated.call("PUT", "assets/film", { properties: { container: "film" } });
    const locator = { assetName: "film", streamingPolicyName: "Predefined_ClearKey" };
    const { streamingLocatorId } = properties(await emulated.call("PUT", "streamingLocators/l", { properties: locator }));
    expect((await emulated.call("DELETE", "assets/film")).status).toBe(200);
    expect(emulated.account.view.locator(asText(streamingLocatorId))).toBeNull();
    expect(emulated.containers.size).toBe(0);
    expect((await emulated.call("DELETE", "assets/film")).status).toBe(204);
  });

  it("stay while they have locators where the switch says so", async () => {
    await using emulated = await fixture({ switches: { deleteAssetInUse: "refuse" } });
    await emulated.call("PUT", "assets/film", {});
    await emulated.call("PUT", "streamingLocators/l", { properties: { assetName: "film", streamingPolicyName: "Predefined_ClearKey" } });
    expect((await emulated.call("DELETE", "assets/film")).status).toBe(409);
    expect((await emulated.call("GET", "assets/film")).status).toBe(200);
  });

  it("are paged with absolute links", async () => {
    await using emulated = await fixture({ switches: { pageSize: 2 } });
    for (const name of ["c", "a", "b"]) await emulated.call("PUT", `assets/${name}`, {});
    const { body } = await emulated.call("GET", "assets");
    const next = new URL(asText(body?.["@odata.nextLink"]));
    expect(next.origin).toBe("http://management.test");
    const second = await emulated.call("GET", `${next.pathname}${next.search}`);
    expect(second.body).toMatchObject({ value: [{ name: "c" }] });
    expect(second.body).not.toHaveProperty("@odata.nextLink");
  });
});

describe("container SAS", () => {
  it.each([
    ["Read", "rl"],
    ["ReadWrite", "rcwl"],
    ["ReadWriteDelete", "rcwdl"],
  ])("%s gives sp=%s, twice, until the asked second", async (permissions, sp) => {
    await using emulated = await fixture();
    await emulated.call("PUT", "assets/film", { properties: { container: "film" } });
    const urls = (await sas(emulated, permissions, isoIn(HOUR_MS + 789))).body?.["assetContainerSasUrls"];
    const found = (isList(urls) ? urls : []).map((url) => new URL(asText(url)));
    expect(found.map(({ origin, pathname }) => `${origin}${pathname}`)).toEqual(Array(2).fill("http://127.0.0.1:10000/storage1/film"));
    const query = found[0]?.searchParams;
    expect([query?.get("sp"), query?.get("sr"), query?.get("se")]).toEqual([sp, "c", "2026-03-01T13:00:00Z"]);
    expect(query?.get("sig")).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });

  it.each([
    ["Read", isoIn(24 * HOUR_MS)],
    ["Read", isoIn(-1)],
    ["Read", "soon"],
    ["Everything", isoIn(HOUR_MS)],
  ])("is refused for %s until %s", async (permissions, expiry) => {
    await using emulated = await fixture();
    await emulated.call("PUT", "assets/film", {});
    expect((await sas(emulated, permissions, expiry)).status).toBe(400);
  });
});
