/** AES-128 videos of the static driver: what their playlists say of keys reaches the catalogue, and from there who may serve them. */
import { describe, expect, it } from "vitest";
import type { Region } from "../../src/core/contracts.ts";
import { HttpFailure } from "../../src/core/http.ts";
import { walkPlayback } from "../../src/core/playback.ts";
import type { HttpAnswer, HttpQuestion } from "../../src/core/ports/http.ts";
import { replicateVideo, type StaticDeps } from "../../src/replicator/runStatic.ts";
import { MemoryStaticLibrary } from "../fakes/memoryStaticLibrary.ts";
import { packageVideo, serveFile, testKey } from "../fakes/packagedVideo.ts";
import { World } from "./world.ts";

const KEY = testKey("right");
const KID = "9a0f1c2d-3b4e-4f50-8617-28394a5b6c7d";

type Scripted = Uint8Array | number | "timeout";

/** Two regions with key hosts of their own: https://{name}.test serves containers, https://keys.{name}.test what is scripted. */
class Regions {
  readonly world = new World();
  readonly libraries = new Map(["west", "north"].map((name) => [name, new MemoryStaticLibrary(name)]));
  readonly keys = new Map<string, Scripted>();
  /** What key hosts answer to anything else. */
  otherKeys = 404;
  readonly deps: StaticDeps;

  constructor(keysOf: (name: string) => string | null = (name) => `https://keys.${name}.test`) {
    const names = [...this.libraries.keys()];
    const regions = new Map(names.map((name): [string, Region] => [name, { name, streaming: `https://${name}.test`, keys: keysOf(name) }]));
    const http = { ask: async (question: HttpQuestion) => this.#answer(question) };
    const options = { ...this.world.deps.options, keyHost: "keys.example" };
    this.deps = { ...this.world.deps, libraries: this.libraries, regions, http, playback: walkPlayback, options };
  }

  async publish(keyUri: string | null): Promise<void> {
    const west = this.#library("west");
    await west.createContainer("film", "blob");
    const files = packageVideo("", keyUri === null ? {} : { encryption: { key: KEY, keyUri } });
    for (const [path, content] of files) if (path !== "manifest.mpd") west.container("film").put(path, content);
  }

  putFile(path: string, content: Uint8Array): void {
    this.#library("west").container("film").put(path, content);
  }

  async replicate(target: string) {
    return replicateVideo(this.deps, { source: "west", target, assetName: "film" });
  }

  async entry() {
    return (await this.world.catalogue.get("film"))?.entry;
  }

  #library(name: string): MemoryStaticLibrary {
    const library = this.libraries.get(name);
    if (library === undefined) throw new Error(`no region ${name}`);
    return library;
  }

  async #answer({ url, headers }: HttpQuestion): Promise<HttpAnswer> {
    const scripted = this.keys.get(url);
    if (scripted === "timeout") throw new HttpFailure("timeout", `GET ${url}: no answer in time`);
    if (typeof scripted === "number") return { status: scripted, headers: {}, body: new Uint8Array() };
    if (scripted !== undefined) return { status: 200, headers: {}, body: scripted };
    const { hostname, pathname } = new URL(url);
    if (hostname.startsWith("keys.")) return { status: this.otherKeys, headers: {}, body: new Uint8Array() };
    const library = this.libraries.get(hostname.replace(".test", ""));
    const [, container = "", ...rest] = pathname.split("/");
    const blob = await library?.container(container).head(rest.join("/"));
    if (library === undefined || blob == null) return { status: 404, headers: {}, body: new Uint8Array() };
    const content = await library.container(container).read(blob, 0, blob.length);
    return serveFile(new Map([[pathname, content]]), pathname, headers?.["range"]);
  }
}

const FINGERPRINT = (regions: Regions) => regions.deps.fingerprint(KEY);

it("a clear video has none", async () => {
  const regions = new Regions();
  await regions.publish(null);
  expect((await regions.replicate("west")).error).toBeNull();
  const entry = await regions.entry();
  expect(entry?.keys).toEqual([]);
  expect(entry).not.toHaveProperty("keyHost");
});

describe("where the playlist's key is", () => {
  it.each([
    [
      "a file beside the video",
      "film.key",
      "streaming",
      { west: "https://west.test/film/film.key", north: "https://north.test/film/film.key" },
    ],
    ["the gateway, by prefix", `https://play.example/keys/?kid=${KID}`, "gateway", keyHosts(`/?kid=${KID}`)],
    ["the gateway, by host name", "https://keys.example/films/one", "gateway", keyHosts("/films/one")],
    ["one region's key host, whoever serves", "https://keys.west.test/one", "elsewhere", { west: "https://keys.west.test/one" }],
    ["a host that nobody here knows", "https://drm.example/one", "elsewhere", keyHosts("/one")],
  ])("%s", async (_, keyUri, host, answers) => {
    const regions = new Regions();
    await regions.publish(keyUri);
    if (keyUri === "film.key") regions.putFile("film.key", KEY);
    else for (const url of Object.values(answers)) regions.keys.set(url, KEY);
    for (const target of ["west", "north"]) expect((await regions.replicate(target)).error).toBeNull();
    const entry = await regions.entry();
    expect(entry).toMatchObject({ keyHost: host, keys: [{ fingerprint: FINGERPRINT(regions) }] });
    expect(entry?.regions).toMatchObject({ west: { state: "verified" }, north: { state: "verified" } });
    for (const target of ["west", "north"]) expect((await regions.replicate(target)).result).toBe("unchanged");
  });

  it("each region's own, where streaming and keys share a host", async () => {
    const regions = new Regions((name) => `https://${name}.test/secrets`);
    await regions.publish("/secrets/one");
    for (const name of ["west", "north"]) regions.keys.set(`https://${name}.test/secrets/one`, KEY);
    for (const target of ["west", "north"]) expect((await regions.replicate(target)).error).toBeNull();
    expect(await regions.entry()).toMatchObject({ keyHost: "region", keys: [{ fingerprint: FINGERPRINT(regions) }] });
  });
});

function keyHosts(path: string): Record<string, string> {
  return { west: `https://keys.west.test${path}`, north: `https://keys.north.test${path}` };
}

describe("the id of a key", () => {
  const idOf = async (keyUri: string): Promise<string | undefined> => {
    const regions = new Regions();
    regions.otherKeys = 401;
    await regions.publish(keyUri);
    await regions.replicate("west");
    return (await regions.entry())?.keys[0]?.id;
  };

  it("is the one that its URI names", async () => {
    expect(await idOf(`https://play.example/keys/?kid=${KID.toUpperCase()}`)).toBe(KID);
  });

  it("or a GUID that follows from its path, the same everywhere and another for another", async () => {
    const id = await idOf("https://play.example/keys/films/one");
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await idOf("https://keys.example/films/one?token=x")).toBe(id);
    expect(await idOf("https://keys.example/films/two")).not.toBe(id);
  });
});

describe("a key that cannot be had", () => {
  const URI = `https://play.example/keys/?kid=${KID}`;
  const [WEST, NORTH] = ["https://keys.west.test/?kid=", "https://keys.north.test/?kid="].map((url) => url + KID) as [string, string];

  it("for want of a token is known by its id alone, and others that become known later are no other key", async () => {
    const regions = new Regions();
    await regions.publish(URI);
    regions.keys.set(WEST, 401).set(NORTH, 403);
    for (const target of ["west", "north"]) expect((await regions.replicate(target)).error).toBeNull();
    expect(await regions.entry()).toMatchObject({ keyHost: "gateway", keys: [{ id: KID, fingerprint: null }] });
    regions.keys.set(WEST, KEY);
    await regions.replicate("west");
    const entry = await regions.entry();
    expect(entry?.keys).toEqual([{ id: KID, fingerprint: FINGERPRINT(regions) }]);
    expect(entry?.regions["north"]?.state).toBe("verified");
    expect((await regions.replicate("north")).result).toBe("unchanged");
    expect((await regions.entry())?.keys).toEqual([{ id: KID, fingerprint: FINGERPRINT(regions) }]);
  });

  it.each([
    ["is not there", 404, "key https://keys.north.test/ answered 404"],
    ["comes with a fault", 503, "key https://keys.north.test/ answered 503"],
    ["does not come", "timeout", "no answer in time"],
    ["is another one", testKey("other"), "does not decrypt to media"],
    ["is a web page", Buffer.from("<html>sign in</html>"), "content key of 20 bytes"],
  ] as const)("because it %s keeps the copy from being published", async (_, scripted, message) => {
    const regions = new Regions();
    await regions.publish(URI);
    regions.keys.set(WEST, KEY).set(NORTH, scripted);
    await regions.replicate("west");
    const { error } = await regions.replicate("north");
    expect(error).toMatchObject({ code: "verification_failed" });
    expect(error?.message).toContain(message);
    expect((await regions.entry())?.regions).toMatchObject({ west: { state: "verified" } });
    expect((await regions.entry())?.regions).not.toHaveProperty("north");
  });

  it("any more withdraws the copy that had it", async () => {
    const regions = new Regions();
    await regions.publish(URI);
    regions.keys.set(WEST, KEY).set(NORTH, KEY);
    for (const target of ["west", "north"]) await regions.replicate(target);
    regions.keys.set(NORTH, 404);
    await regions.replicate("north");
    expect((await regions.entry())?.regions).toMatchObject({ west: { state: "verified" }, north: { state: "withdrawn" } });
  });

  it.each([404, "timeout", Buffer.from("<html>sign in</html>")] as const)(
    "at somebody else's host is nobody's fault here (%s)",
    async (scripted) => {
      const regions = new Regions();
      for (const url of Object.values(keyHosts("/one"))) regions.keys.set(url, scripted);
      await regions.publish("https://drm.example/one");
      for (const target of ["west", "north"]) expect((await regions.replicate(target)).error).toBeNull();
      expect(await regions.entry()).toMatchObject({ keyHost: "elsewhere", keys: [{ fingerprint: null }] });
    },
  );
});

it("a video that was catalogued as clear before its playlists were asked stays where it is verified", async () => {
  const regions = new Regions();
  await regions.publish("film.key");
  regions.putFile("film.key", KEY);
  for (const target of ["west", "north"]) await regions.replicate(target);
  const stored = await regions.world.catalogue.get("film");
  if (stored === null) throw new Error("it was not published");
  const { keyHost: _, ...before } = stored.entry;
  await regions.world.catalogue.put({ ...before, keys: [] }, stored.version);
  await regions.replicate("west");
  const entry = await regions.entry();
  expect(entry?.keys).toHaveLength(1);
  expect(entry?.regions["north"]?.state).toBe("verified");
});
