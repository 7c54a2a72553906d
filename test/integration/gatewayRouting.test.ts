/** Viewers told apart over real connections: what the listeners say of a request has to reach the router, for videos and for keys. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { Region } from "../../src/core/contracts.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { buildWorld, entry, KEY_ID, LOCATOR } from "../gateway/world.ts";

const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** A key host whose key is its name. */
async function keyHost(name: string): Promise<string> {
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(200, { "content-type": "application/octet-stream" }).end(name.padEnd(16, "."));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function listening(gateway: Readonly<Record<string, unknown>>) {
  const names = ["west", "north", "east"];
  const regions = await Promise.all(
    names.map(async (name): Promise<Region> => ({ name, streaming: `https://${name}.example`, keys: await keyHost(name) })),
  );
  // On a busy machine the first region may take longer than others would have to wait for company; who is asked first is what counts here.
  const world = buildWorld({ regions, gateway: { ...gateway, keys: { hedge: "0s", timeout: "60s" } }, clock: systemClock });
  world.catalogue.list = [entry({ west: "verified", north: "verified", east: "verified" })];
  const pools = new RegionHttpClient({ origins: regions.map(({ keys }) => ({ url: keys ?? "", ca: null })) });
  stops.push(async () => pools[Symbol.asyncDispose]());
  const app = buildGateway({ ...world, log: world.logs.log, pools, ready: () => true });
  const server = await GatewayServer.listen({ app, listen: { host: "127.0.0.1", port: 0 }, clock: systemClock, targets: "raw" });
  stops.push(async () => server.close(0));
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const answer = await fetch(server.url + path, { method, headers, redirect: "manual" });
    return { origin: answer.headers.get("x-paircast-origin"), reason: answer.headers.get("x-paircast-reason"), body: await answer.text() };
  };
  return { ...world, ask };
}

/** A manifest by the short way, one by the application (for a client that closes), a key by proxy. */
const WAYS = [
  ["a manifest", MANIFEST, {}, "GET"],
  ["a manifest over a connection that ends", MANIFEST, { connection: "close" }, "GET"],
  ["a licence", `/keys/widevine?kid=${KEY_ID}`, {}, "POST"],
] as const;

describe.each(WAYS)("%s", (_, path, headers, method) => {
  it("goes by the viewer's country and address", async () => {
    const { ask } = await listening({
      viewers: { proxies: ["127.0.0.0/8"], country: { header: "X-Country", from: ["127.0.0.0/8"] } },
      routing: {
        method: "geographic",
        rules: [
          { countries: ["SE"], regions: ["north"] },
          { subnets: ["198.51.100.0/24"], regions: ["east"] },
        ],
      },
    });
    const from = async (more: Record<string, string>) => (await ask(path, { ...headers, ...more }, method)).origin;
    expect(await from({})).toBe("west");
    expect(await from({ "x-country": "SE" })).toBe("north");
    expect(await from({ "x-forwarded-for": "192.0.2.1, 198.51.100.7" })).toBe("east");
    expect(await from({ "x-forwarded-for": "198.51.100.7, 192.0.2.1" })).toBe("west");
  });

  it("goes by the viewer's session, however it is told", async () => {
    const weights = { west: 1, north: 1, east: 1 };
    const { ask } = await listening({ routing: { method: "weighted", weights, sticky: { by: "cmcd-sid" } } });
    const separator = path.includes("?") ? "&" : "?";
    const origins = new Set<string | null>();
    for (let at = 0; at < 12; at += 1) {
      const byQuery = await ask(`${path}${separator}CMCD=sid%3D%22viewer-${at}%22`, headers, method);
      const byHeader = await ask(path, { ...headers, "CMCD-Session": `cid="x",sid="viewer-${at}"` }, method);
      expect(byHeader.origin).toBe(byQuery.origin);
      origins.add(byQuery.origin);
    }
    expect(origins.size).toBe(3);
  });

  it("goes by its route, and says when it tries a region out", async () => {
    const host = path === MANIFEST ? `/${LOCATOR}/` : "/keys/";
    const { ask } = await listening({ routes: [{ prefix: host, routing: { canary: { region: "east", percent: 100 } } }] });
    expect(await ask(path, headers, method)).toMatchObject({ origin: "east", reason: "canary" });
  });

  it("goes where an operator has pinned it", async () => {
    const { ask, overrideStore, overrideView, clock } = await listening({});
    const now = clock.now();
    const pin = {
      id: "1",
      kind: "pin",
      region: "east",
      service: "all",
      reason: "test",
      by: "test",
      createdAt: now,
      expiresAt: now + 60_000,
    } as const;
    await overrideStore.set(pin);
    await overrideView.refresh();
    expect(await ask(path, headers, method)).toMatchObject({ origin: "east", reason: "pinned" });
  });
});

describe("what health hears of keys", () => {
  const LICENCE = `/keys/widevine?kid=${KEY_ID}`;
  const heardFrom = async (proxies: readonly string[], forwarded: readonly string[]) => {
    const { ask, outcomes } = await listening({ viewers: { proxies } });
    for (const method of ["GET", "POST"]) {
      for (const address of forwarded) await ask(LICENCE, { "x-forwarded-for": address, authorization: "Bearer x" }, method);
    }
    expect(outcomes.viewers).toHaveLength(2 * forwarded.length);
    return new Set(outcomes.viewers).size;
  };

  it("comes from as many viewers as there are behind a load balancer", async () => {
    expect(await heardFrom(["127.0.0.0/8"], ["198.51.100.1", "198.51.100.2", "2001:db8::1"])).toBe(3);
  });

  it("and from one, whatever he says he is, where no proxy is trusted", async () => {
    expect(await heardFrom([], ["198.51.100.1", "198.51.100.2"])).toBe(1);
  });

  it("and from one where one household has many addresses", async () => {
    expect(await heardFrom(["127.0.0.0/8"], ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2"])).toBe(1);
  });
});
