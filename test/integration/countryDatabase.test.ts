/** `serve` with a country database: read at the start, taken up when it is replaced, and kept where what replaces it is none. */
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { maxMindFile } from "../fakes/maxMindFile.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually } from "../harness/wait.ts";

const MANIFEST = "/vod/film/master.m3u8";
const VIEWER = "198.51.100.4";

let origins: Server[];
let west: string;
let north: string;

beforeAll(async () => {
  origins = await Promise.all(
    [1, 2].map(async () => {
      const server = createServer((_request, response) => response.end("here")).listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  [west = "", north = ""] = origins.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterAll(() => {
  for (const server of origins) server.close().closeAllConnections();
});

const configText = (workers: number) => `regions:
  - { name: west, streaming: "${west}" }
  - { name: north, streaming: "${north}" }
gateway:
  listen: "127.0.0.1:0"
  workers: ${workers}
  prefixes: [/vod/]
  viewers: { proxies: [127.0.0.0/8], country: { database: countries.mmdb } }
  routing: { method: geographic, rules: [{ countries: [SE], regions: [north] }] }
admin: { listen: "127.0.0.1:0" }
health: { interval: 300ms, fastInterval: 100ms }
`;

async function location(serve: ServeProcess): Promise<string | undefined> {
  const answer = await request(`${serve.gateway}${MANIFEST}`, { headers: { "x-forwarded-for": VIEWER, connection: "close" } });
  await answer.body.dump();
  return answer.headers["location"]?.toString();
}

async function routedTo(serve: ServeProcess, origin: string): Promise<void> {
  await eventually(30_000, `the viewer to be sent to ${origin}`, async () =>
    (await location(serve)) === `${origin}${MANIFEST}` ? true : null,
  );
}

async function replaceDatabase(folder: ServeFolder, bytes: Buffer): Promise<void> {
  await writeFile(join(folder.path, "countries.new"), bytes);
  await rename(join(folder.path, "countries.new"), join(folder.path, "countries.mmdb"));
}

const locating = (code: string) => maxMindFile({ networks: { "198.51.100.0/24": { country: { iso_code: code } } } });

it.each([1, 2])("with %i processes takes a database that replaces another, and no other file", async (workers) => {
  await using folder = await ServeFolder.create();
  await folder.write(configText(workers));
  await replaceDatabase(folder, locating("SE"));
  await using serve = await ServeProcess.start(folder);
  await routedTo(serve, north);
  await replaceDatabase(folder, locating("FR"));
  // By then every process has it.
  await serve.logged("config.reloaded");
  await routedTo(serve, west);
  await replaceDatabase(folder, Buffer.from("<html>sign in to download</html>"));
  const [refused] = await serve.logged("config.reload_failed");
  expect(refused).toMatchObject({ code: "country_database" });
  expect(String(refused?.["problems"])).toContain("countries.mmdb is not a MaxMind database");
  expect(await location(serve)).toBe(`${west}${MANIFEST}`);
  await replaceDatabase(folder, locating("SE"));
  await routedTo(serve, north);
});

it("does not start without it, and says what is missing", async () => {
  await using folder = await ServeFolder.create();
  await folder.write(configText(1));
  await expect(ServeProcess.start(folder)).rejects.toThrow(/countries\.mmdb cannot be read; name a database file/);
});
