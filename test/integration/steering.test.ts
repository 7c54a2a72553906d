/** The steering endpoint through the whole gateway: by the application and, over a socket, by the short way. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { Alignments } from "../../src/gateway/rewrite/alignments.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { buildWorld, EVERYWHERE, LOCATOR, ScriptedHttp, serviceHealth } from "../gateway/world.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const SESSION = `/steering/hls/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)?pathways=westeurope,northeurope`;

function steered(gateway: Readonly<Record<string, unknown>> = {}) {
  const http = new ScriptedHttp();
  const world = buildWorld({ gateway: { playback: "steer", publicUrl: "https://gw.example", ...gateway }, clock: systemClock, http });
  world.catalogue.list = [EVERYWHERE];
  const { log } = world.logs;
  const describeVideo = (): never => {
    throw new Error("no playlist is read here");
  };
  const alignments = new Alignments({
    describe: describeVideo,
    http,
    clock: systemClock,
    log,
    entries: 10,
    timeoutMs: 100,
    freshFor: 1_000,
  });
  const pools = {
    dispatcher: (origin: string): never => {
      throw new Error(`no key host is asked here: ${origin}`);
    },
  };
  const { regions, health } = world;
  const app = buildGateway({ ...world, log, pools, ready: () => true, playback: { regions, health, http, alignments } });
  return { ...world, http, app };
}

async function listening(app: ReturnType<typeof steered>["app"]) {
  let taken = 0;
  const answerNow: typeof app.answerNow = (incoming, outgoing) => {
    const isTaken = app.answerNow(incoming, outgoing);
    if (isTaken) taken += 1;
    return isTaken;
  };
  const server = await GatewayServer.listen({ app: { fetch: app.fetch, answerNow }, listen: LOOPBACK, clock: systemClock, targets: "raw" });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    await server.close();
  });
  const ask = async (path: string, method = "GET") => {
    const outgoing = httpRequest({ ...server.address, path, method, agent, headers: { "x-request-id": "request-0001" } });
    outgoing.end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of incoming.setEncoding("utf8")) body += String(chunk);
    const { date: _, connection: __, "keep-alive": ___, ...headers } = incoming.headers;
    return { status: incoming.statusCode, headers, body };
  };
  return { ask, taken: () => taken };
}

/** Without what is chance. */
function settled(body: string): unknown {
  return { ...(JSON.parse(body) as object), TTL: null };
}

describe("steering endpoint", () => {
  it("answers in the application, where no target is too strange for it", async () => {
    const { app, health, http } = steered();
    health.put("westeurope", "streaming", { ...serviceHealth("unhealthy", "refused"), since: systemClock.now() });
    for (const target of [
      SESSION,
      "/steering/hls/../%2e%2e/%zz?pathways=x",
      "/steering/dash//evil.example/",
      `/steering/hls/${"a".repeat(9_000)}`,
    ]) {
      const answer = await app.request("/", {}, { target });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toBe("no-store");
      const list = (await answer.json()) as Record<string, unknown>;
      expect(list["VERSION"]).toBe(1);
      if (target === SESSION) expect(list["PATHWAY-PRIORITY"]).toEqual(["northeurope", "westeurope"]);
      expect(String(list["RELOAD-URI"])).toMatch(/^https:\/\/gw\.example\/steering\/(hls|dash)\//);
      expect(String(list["RELOAD-URI"]).length).toBeLessThan(8_192);
    }
    expect(http.asked).toEqual([]);
  });

  it("is no path of the gateway where no route steers", async () => {
    const { app } = steered({ playback: "redirect" });
    expect((await app.request("/", {}, { target: SESSION })).status).toBe(404);
  });

  it("gives the same answer by the short way, to HEAD without its body", async () => {
    const { app, metrics } = steered();
    const { ask, taken } = await listening(app);
    const url = `${SESSION}&chance=12345678`;
    const short = await ask(`${url}&_HLS_pathway=%22westeurope%22&_HLS_throughput=5140000`);
    expect(taken()).toBe(1);
    const long = await app.request("/", { headers: { "x-request-id": "request-0001" } }, { target: url });
    expect(settled(short.body)).toEqual(settled(await long.text()));
    expect(short.status).toBe(long.status);
    const { "content-length": length, ...headers } = short.headers;
    expect(headers).toEqual(Object.fromEntries([...long.headers].filter(([name]) => name !== "content-length")));
    expect(length).toBe(String(Buffer.byteLength(short.body)));
    const head = await ask(url, "HEAD");
    expect([head.status, head.body]).toEqual([200, ""]);
    expect(await metrics.registry.metrics()).toContain('paircast_steering_answers_total{origin="westeurope"} 3');
    expect(await metrics.registry.metrics()).toContain('paircast_requests_total{kind="other",mode="steer",code="2xx"} 3');
  });

  it("writes one line to the log for each, without the query", async () => {
    const { app, logs } = steered();
    const { ask } = await listening(app);
    await ask(`${SESSION}&chance=12345678`);
    const lines = logs.of("gateway.request");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ mode: "steer", status: 200, reason: "primary", origin: "westeurope", path: SESSION.split("?", 1)[0] });
  });
});
