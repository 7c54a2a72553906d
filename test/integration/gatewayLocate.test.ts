import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { RegionHttpClient } from "../../src/core/http.ts";
import type { HttpClient } from "../../src/core/ports/http.ts";
import { ManualClock } from "../fakes/clock.ts";
import { silentHost } from "../gateway/silentHost.ts";
import { buildWorld, manifestRequest, UNKNOWN_LOCATOR } from "../gateway/world.ts";
import { eventually } from "../harness/wait.ts";

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

/** Less than undici's own limit, which would end a connection that cannot be made; far more than a pause of the machine. */
const SOON_MS = 8_000;
const PATIENCE_MS = 60_000;

/** A world whose regions are real addresses. The second region has time enough, whatever the limit is. */
function locating(west: string, north: string, timeout: string) {
  const regions = [
    { name: "westeurope", streaming: west, keys: null },
    { name: "northeurope", streaming: north, keys: null },
  ];
  const http = new RegionHttpClient({ origins: regions.map(({ streaming }) => ({ url: streaming, ca: null })) });
  stops.push(async () => http[Symbol.asyncDispose]());
  const patient: HttpClient = {
    ask: async (question) => http.ask(question.url.startsWith(north) ? { ...question, timeoutMs: PATIENCE_MS } : question),
  };
  const clock = new ManualClock();
  return { ...buildWorld({ regions, clock, http: patient, gateway: { unknownLocators: { timeout } } }), clock };
}

describe("looking for an unknown video over sockets", () => {
  it("finds it where it is", async () => {
    const { directory, outcomes } = locating(await origin(404), await origin(200), "60s");
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
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    expect(holdings).toEqual({ westeurope: "unknown", northeurope: "absent" });
    expect(outcomes.words).toEqual(["westeurope:timeout"]);
  });

  it("a viewer does not wait for the host that is down when another has shown the video", async () => {
    const { directory, clock } = locating(await silentHost(stops), await origin(200), "30s");
    let located: Awaited<ReturnType<typeof directory.locate>> | null = null;
    void directory.locate(manifestRequest(UNKNOWN_LOCATOR)).then((result) => (located = result));
    const { value } = await eventually(SOON_MS, "the video to be found", async () => {
      await clock.advance(10);
      return located;
    });
    expect(value.holdings).toEqual({ westeurope: "unknown", northeurope: "found" });
  });
});
