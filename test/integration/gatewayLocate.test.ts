import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { silentHost } from "../gateway/silentHost.ts";
import { buildWorld, manifestRequest, UNKNOWN_LOCATOR } from "../gateway/world.ts";

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function origin(status: number): Promise<string> {
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A world whose regions are real addresses. */
function locating(west: string, north: string, timeout: string) {
  const regions = [
    { name: "westeurope", streaming: west, keys: null },
    { name: "northeurope", streaming: north, keys: null },
  ];
  const http = new RegionHttpClient({ origins: regions.map(({ streaming }) => ({ url: streaming, ca: null })) });
  stops.push(async () => http[Symbol.asyncDispose]());
  return buildWorld({ regions, clock: systemClock, http, gateway: { unknownLocators: { timeout } } });
}

describe("looking for an unknown video over sockets", () => {
  it("finds it where it is", async () => {
    const { directory, outcomes } = locating(await origin(404), await origin(200), "2s");
    expect(await directory.locate(manifestRequest(UNKNOWN_LOCATOR))).toEqual({
      holdings: { westeurope: "absent", northeurope: "found" },
      source: "asked",
    });
    expect(outcomes.observed).toEqual([]);
  });

  it("a host that is down costs its time limit and no more, and health hears of it", async () => {
    const { directory, outcomes } = locating(await silentHost(stops), await origin(404), "200ms");
    const started = performance.now();
    const { holdings } = await directory.locate(manifestRequest(UNKNOWN_LOCATOR));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(holdings).toEqual({ westeurope: "unknown", northeurope: "absent" });
    expect(outcomes.words).toEqual(["westeurope:timeout"]);
  });

  it("a viewer does not wait for the host that is down when another has shown the video", async () => {
    const { directory } = locating(await silentHost(stops), await origin(200), "30s");
    const started = performance.now();
    const { holdings } = await directory.locate(manifestRequest(UNKNOWN_LOCATOR));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(holdings).toEqual({ westeurope: "unknown", northeurope: "found" });
  });
});
