import { describe, expect, it } from "vitest";
import { asText, isList, isObject } from "../../../src/sandbox/management/fields.ts";
import { fixture, type Answer, type Fixture } from "./fixture.ts";

const OPERATION_MS = 2000;
const TEXT = { "@odata.type": "#Microsoft.Media.TextTrack", fileName: "english.ttml", displayName: "English" };

async function encoded(): Promise<Fixture> {
  const files = new Set(["english.ttml", "commentary.mp4"]);
  const emulated = await fixture({
    switches: { operationMs: OPERATION_MS },
    fileExists: (_asset, file) => Promise.resolve(files.has(file)),
    manifestTracks: () =>
      Promise.resolve([
        { name: "video", kind: "video" },
        { name: "audio", kind: "audio" },
      ]),
  });
  await emulated.call("PUT", "assets/film", { properties: {} });
  emulated.manifests.set("film", "film");
  return emulated;
}

const put = (emulated: Fixture, name: string, track: object): Promise<Answer> =>
  emulated.call("PUT", `assets/film/tracks/${name}`, { properties: { track } });

function names({ body }: Answer): readonly string[] {
  const value = body?.["value"];
  return isList(value) ? value.filter(isObject).map((item) => asText(item["name"])) : [];
}

describe("tracks of an asset without files", () => {
  it("are none, and none can be added; an asset that is not there is not found", async () => {
    await using emulated = await fixture();
    await emulated.call("PUT", "assets/film", { properties: {} });
    expect((await emulated.call("GET", "assets/film/tracks")).body).toEqual({ value: [] });
    expect((await put(emulated, "text1", TEXT)).text).toContain("Target resource file does not exist.");
    expect((await emulated.call("GET", "assets/none/tracks")).status).toBe(404);
  });
});

describe("tracks of an encoded asset", () => {
  it("are those of its server manifest, and those that were added", async () => {
    await using emulated = await encoded();
    expect(names(await emulated.call("GET", "assets/film/tracks"))).toEqual(["audio", "video"]);
    await put(emulated, "text1", TEXT);
    expect(names(await emulated.call("GET", "assets/film/tracks"))).toEqual(["audio", "text1", "video"]);
    const { body } = await emulated.call("GET", "assets/film/tracks/VIDEO");
    expect(body).toMatchObject({
      name: "video",
      type: "Microsoft.Media/mediaservices/assets/tracks",
      properties: { track: { "@odata.type": "#Microsoft.Media.VideoTrack" }, provisioningState: "Succeeded" },
    });
  });

  it("are added by an operation that takes its time", async () => {
    await using emulated = await encoded();
    const created = await put(emulated, "text1", { ...TEXT, languageCode: "xx" });
    expect(created.status).toBe(201);
    expect(created.body?.["properties"]).toEqual({ track: { ...TEXT, playerVisibility: "Visible" }, provisioningState: "InProgress" });
    const [status, result] = ["azure-asyncoperation", "location"].map((name) => new URL(created.headers.get(name) ?? "http://none"));
    const at = (url: URL | undefined): Promise<Answer> => emulated.call("GET", `${url?.pathname}${url?.search}`);
    expect((await at(status)).body).toMatchObject({ status: "InProgress" });
    expect((await at(result)).status).toBe(202);
    await emulated.clock.advance(OPERATION_MS);
    expect((await at(status)).body).toMatchObject({ status: "Succeeded" });
    expect((await at(result)).body).toMatchObject({ name: "text1", properties: { provisioningState: "Succeeded" } });
  });

  it("can be changed and deleted", async () => {
    await using emulated = await encoded();
    await put(emulated, "text1", TEXT);
    const changed = await emulated.call("PATCH", "assets/film/tracks/text1", { properties: { track: { playerVisibility: "Hidden" } } });
    expect(changed.status).toBe(202);
    expect((await put(emulated, "text1", { ...TEXT, displayName: "British" })).status).toBe(200);
    const deleted = await emulated.call("DELETE", "assets/film/tracks/text1");
    expect(deleted.status).toBe(202);
    expect((await emulated.call("GET", "assets/film/tracks/text1")).status).toBe(404);
    await emulated.clock.advance(OPERATION_MS);
    const result = new URL(deleted.headers.get("location") ?? "http://none");
    expect((await emulated.call("GET", `${result.pathname}${result.search}`)).status).toBe(204);
    expect((await emulated.call("DELETE", "assets/film/tracks/text1")).status).toBe(204);
  });

  it.each([
    ["whose file is not there", { ...TEXT, fileName: "lost.ttml" }, "Target resource file does not exist."],
    ["without a file", { "@odata.type": TEXT["@odata.type"] }, "Target resource file does not exist."],
    ["of video", { "@odata.type": "#Microsoft.Media.VideoTrack", fileName: "english.ttml" }, "cannot be added"],
  ])("one %s is refused", async (_why, track, message) => {
    await using emulated = await encoded();
    const refused = await put(emulated, "text1", track);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain(message);
  });
});
