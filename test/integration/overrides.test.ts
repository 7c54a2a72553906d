/** Overrides by the command line, at two gateways that share a state file: taking effect, ending, surviving a kill, and being refused. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text as allText } from "node:stream/consumers";
import { request } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Override } from "../../src/core/contracts.ts";
import type { OverrideEvent } from "../../src/core/ports/overrides.ts";
import { killRunning } from "../harness/command.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually, within } from "../harness/wait.ts";

const MANIFEST = "/vod/film/master.m3u8";
/** Far above what it takes: that it takes less than a second is held where time is not the machine's (test/gateway/overrides). */
const EFFECT_MS = 30_000;
const main = new URL("../../src/main.ts", import.meta.url).pathname;

let origins: Server[];
let urls: Record<"west" | "north", string>;
let folder: ServeFolder;
let gateways: ServeProcess[];

/** Answers every probe, and has every video. */
async function startOrigin(): Promise<Server> {
  const server = createServer((_request, response) => response.end("here"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

beforeAll(async () => {
  origins = [await startOrigin(), await startOrigin()];
  const [west = "", north = ""] = origins.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  urls = { west, north };
  folder = await ServeFolder.create();
  await folder.write(
    [
      "regions:",
      `  - { name: west, streaming: "${west}" }`,
      `  - { name: north, streaming: "${north}" }`,
      'gateway: { listen: "127.0.0.1:0", prefixes: [/vod/] }',
      'admin: { listen: "127.0.0.1:0" }',
      "health: { interval: 300ms, fastInterval: 100ms }",
      "replication: { enabled: false }",
    ].join("\n"),
  );
  gateways = [await ServeProcess.start(folder), await ServeProcess.start(folder)];
  for (const gateway of gateways) {
    const healthy = (name: string) => `paircast_service_state{origin="${name}",service="streaming",state="healthy"}`;
    await eventually(EFFECT_MS, "both regions to be healthy", async () =>
      (await gateway.metric(healthy("west"))) === 1 && (await gateway.metric(healthy("north"))) === 1 ? true : null,
    );
  }
});

afterEach(async () => {
  const { overrides } = await listed();
  for (const { id } of overrides) expect((await paircast("lift", id)).code).toBe(0);
  for (const gateway of gateways) await goesTo(gateway, "west");
});

afterAll(async () => {
  for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  for (const server of origins) server.close().closeAllConnections();
});

function gateway(at: 0 | 1): ServeProcess {
  const found = gateways[at];
  if (found === undefined) throw new Error("no such gateway");
  return found;
}

/** A command against the first gateway. */
async function paircast(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...words, "--admin", gateway(0).admin], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await within(
    45_000,
    `paircast ${words.join(" ")}`,
    Promise.all([allText(child.stdout), allText(child.stderr), once(child, "close")]),
  );
  return { code: code as number | null, out, err };
}

async function drain(region: string, ...words: string[]): Promise<Override> {
  const { code, out, err } = await paircast("drain", region, "--reason", "new certificates", "--json", ...words);
  expect([code, err]).toEqual([0, ""]);
  return (JSON.parse(out) as { override: Override }).override;
}

async function listed(): Promise<{ overrides: Override[]; audit: OverrideEvent[] }> {
  const { out } = await paircast("overrides", "--json");
  return JSON.parse(out) as { overrides: Override[]; audit: OverrideEvent[] };
}

interface Route {
  readonly region: string;
  readonly reason: string;
}

async function route({ gateway: url }: ServeProcess): Promise<Route> {
  const answer = await request(`${url}${MANIFEST}`, { headers: { connection: "close" } });
  await answer.body.dump();
  const location = String(answer.headers["location"]);
  const region = location === `${urls.west}${MANIFEST}` ? "west" : location === `${urls.north}${MANIFEST}` ? "north" : location;
  return { region, reason: String(answer.headers["x-paircast-reason"]) };
}

/** When manifests go to `region`, in epoch milliseconds. */
async function goesTo(where: ServeProcess, region: string): Promise<number> {
  await eventually(EFFECT_MS, `manifests to go to ${region}`, async () => ((await route(where)).region === region ? true : null));
  return Date.now();
}

describe("drain and undrain", () => {
  it("take effect on both gateways, and are told and counted there", async () => {
    const override = await drain("west", "--for", "10m", "--by", "ada");
    await Promise.all(gateways.map(async (each) => goesTo(each, "north")));
    expect(override).toMatchObject({ kind: "drain", region: "west", service: "all", by: "ada", reason: "new certificates" });
    expect(override.expiresAt - override.createdAt).toBe(600_000);
    for (const each of gateways) {
      expect(await route(each)).toEqual({ region: "north", reason: "failover" });
      expect(await each.metric('paircast_override_active{origin="west",service="streaming",kind="drain"}')).toBe(1);
      expect(await each.metric('paircast_override_expires_timestamp_seconds{origin="west",service="streaming",kind="drain"}')).toBeCloseTo(
        override.expiresAt / 1000,
      );
      expect(await each.logged("override.set")).toMatchObject([{ id: override.id, by: "ada", region: "west" }]);
    }

    const { code, out } = await paircast("undrain", "west", "--by", "bob");
    expect([code, out.trim()]).toEqual([0, "lifted drain of west (all): new certificates"]);
    const { overrides, audit } = await listed();
    expect(overrides).toEqual([]);
    expect(audit[0]).toMatchObject({ action: "lifted", by: "bob", override: { id: override.id } });
    await Promise.all(gateways.map(async (each) => goesTo(each, "west")));
    for (const each of gateways) {
      await each.logged("override.lifted");
      expect(await each.metric('paircast_override_active{origin="west",service="streaming",kind="drain"}')).toBe(0);
    }
  });

  it("by default name the user of this machine, and show in words what is in force", async () => {
    const { code, out } = await paircast("drain", "west", "--reason", "a  disk\nis slow", "--for", "90m", "--service", "streaming");
    expect(code).toBe(0);
    expect(out).toMatch(
      /^drain {4}west streaming {2}for another 90 min, until \d{4}-\d\d-\d\dT[\d:]+Z: a disk is slow \(\S.*; id [0-9a-f-]{36}\)$/m,
    );
    const shown = await paircast("overrides");
    expect(shown.out).toContain("a disk is slow");
    expect(shown.out).toMatch(/lately:\n {2}\d{4}-\S+ {2}set by \S.*: drain west \(streaming\): a disk is slow/);
  });

  it("end by themselves, on both gateways, and are audited once", async () => {
    // Watched from before it begins: the command that sets it may take as long to end as the override lasts.
    const seen = Promise.all(gateways.map(async (each) => goesTo(each, "north")));
    const [override] = await Promise.all([drain("west", "--for", "5s"), seen]);
    for (const at of await Promise.all(gateways.map(async (each) => goesTo(each, "west"))))
      expect(at).toBeGreaterThanOrEqual(override.expiresAt);
    // It ends by the clock at once, and is audited when a gateway looks at the store next.
    const ended = await eventually(EFFECT_MS, "the expiry in the audit", async () => {
      const { overrides, audit } = await listed();
      const events = audit.filter((event) => event.override.id === override.id);
      return events.length > 1 ? { overrides, events } : null;
    });
    expect(ended.value.overrides).toEqual([]);
    expect(ended.value.events.map(({ action, at, by }) => [action, at, by])).toEqual([
      ["expired", override.expiresAt, "expiry"],
      ["set", override.createdAt, override.by],
    ]);
    for (const each of gateways) {
      const logged = await eventually(EFFECT_MS, "the expiry in the log", async () => {
        const lines = each.events("override.expired").filter(({ id }) => id === override.id);
        return Promise.resolve(lines.length > 0 ? lines : null);
      });
      expect(logged.value.length).toBe(1);
    }
  });

  it("survive a kill: the first answer after the restart obeys", async () => {
    const { statusCode, body } = await request(`${gateway(0).admin}/api/overrides`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ kind: "drain", region: "west", reason: "before the kill", duration: "10m" }),
    });
    const { override } = (await body.json()) as { override: Override };
    await killRunning(gateway(0).child);
    expect(statusCode).toBe(201);
    gateways[0] = await ServeProcess.start(folder);
    expect((await route(gateway(0))).region).toBe("north");
    expect((await listed()).overrides).toEqual([override]);
    await goesTo(gateway(1), "north");
  });
});

describe("refusals", () => {
  it("the last eligible region is not drained, unless forced; drained regions serve as the last resort", async () => {
    await drain("west", "--for", "10m");
    const refused = await paircast("drain", "north", "--reason", "too", "--for", "10m");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("north is the last region eligible for streaming (west is drained). Add --force if you mean it.");
    expect((await listed()).overrides.length).toBe(1);
    await drain("north", "--for", "10m", "--force");
    const { region } = await route(gateway(0));
    expect(["west", "north"]).toContain(region);
  });

  it("disable leaves no last resort", async () => {
    const west = await drain("west", "--for", "10m", "--disable");
    expect(west.kind).toBe("disable");
    await drain("north", "--for", "10m", "--disable", "--force");
    const answer = await request(`${gateway(0).gateway}${MANIFEST}`, { headers: { connection: "close" } });
    await answer.body.dump();
    expect(answer.statusCode).toBe(503);
  });

  it("nothing to lift", async () => {
    const { code, out, err } = await paircast("undrain", "west");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/no override is in force/);
  });

  it.each<[string, readonly string[], RegExp]>([
    ["an unknown region", ["drain", "mars", "--reason", "x", "--for", "1m"], /no region is named mars; regions are west, north/],
    ["no reason", ["drain", "west", "--for", "1m"], /--reason/],
    ["a blank reason", ["drain", "west", "--reason", " ", "--for", "1m"], /say why/],
    ["no end", ["drain", "west", "--reason", "x"], /--for/],
    ["a duration without unit", ["drain", "west", "--reason", "x", "--for", "30"], /write a duration with its unit/],
    ["more than a week", ["drain", "west", "--reason", "x", "--for", "8d"], /at most 168 h/],
    [
      "a service that no region has",
      ["drain", "west", "--reason", "x", "--for", "1m", "--service", "storage"],
      /streaming, keys, encoding, all/,
    ],
    [
      "jobs where none are",
      ["drain", "west", "--reason", "x", "--for", "1m", "--service", "encoding"],
      /west does not encode.*nothing is encoded here/,
    ],
    ["keys of a region without keys", ["drain", "west", "--reason", "x", "--for", "1m", "--service", "keys"], /west has no key delivery/],
  ])("%s", async (_, words, message) => {
    const { code, out, err } = await paircast(...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err).not.toContain("    at ");
  });
});

describe("pin", () => {
  it("sends everything to the region, says so, and is lifted by its id", async () => {
    const { out } = await paircast("pin", "north", "--reason", "look at it under load", "--for", "10m", "--json");
    const { override } = JSON.parse(out) as { override: Override };
    for (const each of gateways) {
      await goesTo(each, "north");
      expect(await route(each)).toEqual({ region: "north", reason: "pinned" });
    }
    const { code, err } = await paircast("drain", "north", "--reason", "x", "--for", "1m", "--service", "streaming");
    expect([code, err]).toEqual([1, expect.stringContaining(`lift override ${override.id} first`)]);
    expect((await paircast("undrain", override.id)).code).toBe(0);
    for (const each of gateways) await goesTo(each, "west");
  });
});

describe("/api/events", () => {
  it("tells of an override at the gateway where it was not set, too", async () => {
    const stream = await request(`${gateway(1).admin}/api/events`);
    let received = "";
    stream.body.on("data", (chunk: Buffer) => (received += chunk.toString()));
    stream.body.on("error", () => undefined);
    try {
      const override = await drain("west", "--for", "10m");
      await eventually(EFFECT_MS, "the event", async () => Promise.resolve(received.includes(override.id) ? true : null));
      const [, data = ""] = /event: override\ndata: (.*)\n/.exec(received) ?? [];
      expect(JSON.parse(data)).toEqual({ type: "override", action: "set", override, by: override.by, at: override.createdAt });
    } finally {
      stream.body.destroy();
    }
  });
});
