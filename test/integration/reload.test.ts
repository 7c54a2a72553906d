/** Reload of a running `serve`: what is taken up, what is refused, and that nobody is dropped meanwhile. */
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../bench/process.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually } from "../harness/wait.ts";

const MANIFEST = "/vod/film/master.m3u8";
const DEADLINE_MS = 20_000;
const SUCCESSFUL = "paircast_config_last_reload_successful";

let origins: Server[];
let west: string;
let north: string;

/** Answers every probe. */
async function startOrigin(): Promise<Server> {
  const server = createServer((_request, response) => response.end("here"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

beforeAll(async () => {
  origins = [await startOrigin(), await startOrigin()];
  [west = "", north = ""] = origins.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterAll(() => {
  for (const server of origins) server.close().closeAllConnections();
});

interface ConfigParts {
  readonly regions?: readonly (readonly [string, string])[];
  readonly gateway?: string;
  readonly admin?: string;
  readonly rest?: string;
}

/** Catalogue entries are not needed: under a prefix, what the catalogue does not know is asked for, and both origins have everything. */
function configText({
  regions = [
    ["west", west],
    ["north", north],
  ],
  gateway = "",
  admin = "",
  rest = "",
}: ConfigParts = {}): string {
  return [
    "regions:",
    ...regions.map(([name, url]) => `  - { name: ${name}, streaming: "${url}" }`),
    `gateway: { listen: "127.0.0.1:0", prefixes: [/vod/], accessLog: false${gateway} }`,
    `admin: { listen: "127.0.0.1:0"${admin} }`,
    "health: { interval: 300ms, fastInterval: 100ms }",
    rest,
  ].join("\n");
}

async function location(serve: ServeProcess): Promise<string | undefined> {
  const answer = await request(`${serve.gateway}${MANIFEST}`, { headers: { connection: "close" } });
  await answer.body.dump();
  return answer.headers["location"]?.toString();
}

async function routedTo(serve: ServeProcess, origin: string): Promise<void> {
  await eventually(DEADLINE_MS, `the video to be routed to ${origin}`, async () =>
    (await location(serve)) === `${origin}${MANIFEST}` ? true : null,
  );
}

async function healthy(serve: ServeProcess, region: string): Promise<void> {
  const series = `paircast_service_state{origin="${region}",service="streaming",state="healthy"}`;
  await eventually(DEADLINE_MS, `${region} to be healthy`, async () => ((await serve.metric(series)) === 1 ? true : null));
}

/** When the probes that are remembered began, the oldest first. */
async function probes(serve: ServeProcess, name: string): Promise<readonly number[]> {
  const answer = await request(`${serve.admin}/api/health`);
  const { regions } = (await answer.body.json()) as { regions: { name: string; checks: { history: { at: number }[] }[] }[] };
  return regions.find((region) => region.name === name)?.checks[0]?.history.map(({ at }) => at) ?? [];
}

describe("a changed file", () => {
  it("is taken up by itself: order, new regions, regions that go", async () => {
    await using folder = await ServeFolder.create();
    await folder.write(configText({ regions: [["west", west]] }));
    await using serve = await ServeProcess.start(folder);
    await routedTo(serve, west);
    await healthy(serve, "west");

    // In place, as scripts do; the harness replaces.
    await writeFile(folder.config, configText({ regions: [["north", north]] }));
    await routedTo(serve, north);
    expect((await serve.logged("config.reloaded"))[0]).toMatchObject({ changed: ["regions"] });
    expect(await serve.metric('paircast_service_state{origin="west",service="streaming",state="healthy"}')).toBeNull();
    expect(await serve.metric('paircast_probe_duration_seconds_count{origin="west",service="streaming"}')).toBeNull();
    expect(await serve.metric('paircast_probes_total{origin="north",service="streaming",result="failure"}')).not.toBeNull();
  });

  it("is seen when it is replaced, as editors do, and what is known of a region that stays is kept", async () => {
    await using folder = await ServeFolder.create();
    await folder.write(configText());
    await using serve = await ServeProcess.start(folder);
    await healthy(serve, "west");
    const before = (await probes(serve, "west")).at(-1);
    await folder.write(configText({ gateway: ", retryAfter: 9s" }));
    await serve.logged("config.reloaded");
    expect(await serve.metric('paircast_service_state{origin="west",service="streaming",state="healthy"}')).toBe(1);
    expect(await serve.metric('paircast_service_state_changes_total{origin="west",service="streaming",to="healthy"}')).toBe(1);
    expect(await probes(serve, "west")).toContain(before);
    expect((await request(`${serve.gateway}/readyz`)).statusCode).toBe(200);
  });

  it("is one when a secret that it names changes", async () => {
    await using folder = await ServeFolder.create();
    await folder.write("first-token-of-operators\n", "token");
    await folder.write(configText({ admin: ", token: file:token" }));
    await using serve = await ServeProcess.start(folder);
    const status = async (token: string) => {
      const answer = await request(`${serve.admin}/api/status`, { headers: { authorization: `Bearer ${token}` } });
      await answer.body.dump();
      return answer.statusCode;
    };
    expect(await status("first-token-of-operators")).toBe(200);
    await folder.write("second-token-of-operators\n", "token");
    await serve.logged("config.reloaded");
    expect(await status("first-token-of-operators")).toBe(401);
    expect(await status("second-token-of-operators")).toBe(200);
    expect(serve.text).not.toContain("-of-operators");
  });

  it("may move the listeners, and may not move the state", async () => {
    await using folder = await ServeFolder.create();
    await folder.write(configText());
    await using serve = await ServeProcess.start(folder);
    const port = await freePort();
    await folder.write(configText({ rest: "state: { path: elsewhere.db }" }).replace("127.0.0.1:0", `127.0.0.1:${port}`));
    expect(await serve.logged("config.restart_needed")).toMatchObject([{ settings: ["state.path"] }]);
    expect((await request(`http://127.0.0.1:${port}/healthz`)).statusCode).toBe(200);
    await eventually(DEADLINE_MS, "nobody to listen where it did", async () => {
      const socket = connect(Number(new URL(serve.gateway).port), "127.0.0.1");
      const refused = await once(socket, "connect").then(
        () => false,
        (error: unknown) => String(error).includes("ECONNREFUSED"),
      );
      socket.destroy();
      return refused ? true : null;
    });
    expect(await serve.metric("paircast_config_settings_awaiting_restart")).toBe(1);
    await expect(stat(join(folder.path, "elsewhere.db"))).rejects.toThrow("ENOENT");
  });
});

describe("a bad file", () => {
  it.each([
    ["unknown setting", () => `${configText()}\nfrobnicate: yes\n`, /paircast\.yaml:8: frobnicate: is not a known setting/],
    ["not YAML", () => "regions: [", /is not YAML/],
    ["over 1 MB", () => `${configText()}\n#${"x".repeat(1_048_576)}`, /has 10\d+ bytes; more than 1048576 are refused/],
    [
      "an authority that is missing",
      () => configText().replace('" }', '", caFile: /nowhere/ca.pem }'),
      /regions\[\d\]\.caFile: the file \/nowhere\/ca\.pem cannot be read/,
    ],
  ])("is refused, and everything goes on as it was: %s", async (_, text, problem) => {
    await using folder = await ServeFolder.create();
    await folder.write(configText());
    await using serve = await ServeProcess.start(folder);
    const takenAt = await serve.metric("paircast_config_last_reload_success_timestamp_seconds");
    expect(await serve.metric(SUCCESSFUL)).toBe(1);
    await folder.write(text());
    const [refused] = await serve.logged("config.reload_failed");
    expect(String(refused?.["problems"])).toMatch(problem);
    expect(await serve.metric(SUCCESSFUL)).toBe(0);
    expect(await serve.metric("paircast_config_last_reload_success_timestamp_seconds")).toBe(takenAt);
    await routedTo(serve, west);

    await folder.write(configText());
    await serve.logged("config.reloaded");
    expect(await serve.metric(SUCCESSFUL)).toBe(1);
  });

  it("an address that is taken is a reason to refuse", async () => {
    await using folder = await ServeFolder.create();
    await folder.write(configText());
    await using serve = await ServeProcess.start(folder);
    await folder.write(configText().replace("127.0.0.1:0", new URL(west).host));
    expect(String((await serve.logged("config.reload_failed"))[0]?.["problems"])).toContain("cannot listen on");
    await routedTo(serve, west);
  });
});

describe("the last good configuration", () => {
  it("is kept beside the state, and a restart with a bad file uses it when asked to", async () => {
    await using folder = await ServeFolder.create();
    await folder.write("a-token-for-the-operators\n", "token");
    await folder.write(configText({ admin: ", token: file:token", regions: [["north", north]] }));
    const first = await ServeProcess.start(folder);
    await first.stop();
    const kept = join(folder.path, "paircast.db.last-good.yaml");
    expect((await stat(kept)).mode & 0o777).toBe(0o600);
    expect(await readFile(kept, "utf8")).not.toContain("a-token-for-the-operators");

    await folder.write("regions: []\n");
    await expect(ServeProcess.start(folder)).rejects.toThrow(/name at least one region[^]*serve --last-good/);
    await using second = await ServeProcess.start(folder, "--last-good");
    const token = { authorization: "Bearer a-token-for-the-operators" };
    expect(await second.logged("config.last_good_used")).toHaveLength(1);
    expect(second.text).toContain("NOT USED. Running with the last good configuration");
    await routedTo(second, north);
    expect(await second.metric(SUCCESSFUL, token)).toBe(0);
    expect(await second.metric("paircast_config_last_reload_success_timestamp_seconds", token)).toBeGreaterThan(1_700_000_000);

    await folder.write(configText({ regions: [["west", west]] }));
    await routedTo(second, west);
    expect(await second.metric(SUCCESSFUL)).toBe(1);
  });

  it("is not used when somebody has changed it", async () => {
    await using folder = await ServeFolder.create();
    await folder.write(configText());
    await (await ServeProcess.start(folder)).stop();
    const name = "paircast.db.last-good.yaml";
    await folder.write((await readFile(join(folder.path, name), "utf8")).replace("west", "vest"), name);
    await folder.write("regions: []\n");
    await expect(ServeProcess.start(folder, "--last-good")).rejects.toThrow("is not as it was written");
  });
});

describe("reloading under load", () => {
  it("fails no request: 3,000 new connections and one that stays, over 6 reloads by SIGHUP", async () => {
    await using folder = await ServeFolder.create();
    await folder.write(configText());
    await using serve = await ServeProcess.start(folder);
    // While only the other region has been looked at, that one is preferred.
    await healthy(serve, "west");
    await routedTo(serve, west);
    const { hostname, port } = new URL(serve.gateway);
    const staying = connect(Number(port), hostname);
    let stayed = "";
    staying.on("data", (chunk: Buffer) => (stayed += chunk.toString()));
    let done = 0;
    const client = async (): Promise<void> => {
      while (done < 3_000) {
        done += 1;
        if ((await location(serve)) !== `${west}${MANIFEST}`) throw new Error("answered something else");
      }
    };
    const reloads = async (): Promise<void> => {
      for (let reload = 1; reload <= 6; reload += 1) {
        staying.write(`GET ${MANIFEST} HTTP/1.1\r\nHost: gateway\r\n\r\n`);
        serve.child.kill("SIGHUP");
        await serve.logged("config.reloaded", reload);
      }
    };
    await Promise.all([reloads(), ...Array.from({ length: 8 }, client)]);
    staying.write(`GET ${MANIFEST} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n`);
    await once(staying, "close");
    expect(stayed.match(/HTTP\/1\.1 302/g)).toHaveLength(7);
  });
});
