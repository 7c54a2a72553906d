/** The short way for manifests against the application: the same requests to both, over sockets, must get the same answers. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { HEALTH_STATUSES } from "../../src/core/contracts.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { aligned, DASH, FILM, HLS, MASTER, mpd, NORTH, putHls, stage, VIDEO, WEST } from "../gateway/rewrite/stage.ts";
import { ManualClock } from "../fakes/clock.ts";
import { entry, LOCATOR, series, serviceHealth } from "../gateway/world.ts";

type Stage = ReturnType<typeof stage>;

interface Shape {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /** A character for each byte. */
  readonly body: string;
}

const stack = new AsyncDisposableStack();
/** Of both gateways: what one of them has forgotten after a second, the other has too, however long the requests take. */
const clock = new ManualClock();
/** Who says `Connection: close` does not get the short way. */
const agent = stack.adopt(new Agent({ keepAlive: true }), (each) => {
  each.destroy();
});
const whole: { played: Stage; server: GatewayServer }[] = [];
let taken = 0;

/** Both gateways have a world of their own, made and changed alike. */
async function gateway(short: boolean): Promise<void> {
  const played = stage({
    clock,
    gateway: {
      playback: "redirect",
      viewers: { proxies: ["127.0.0.0/8"] },
      routes: [
        { host: "steer.example", playback: "steer" },
        { host: "anchor.example", playback: "anchor" },
        { host: "drawn.example", playback: "steer", routing: { method: "weighted", weights: { westeurope: 1, northeurope: 1 } } },
      ],
    },
  });
  putHls(played.files, [WEST, NORTH], VIDEO);
  putHls(played.files, [WEST, NORTH], FILM);
  played.files.everywhere(DASH, mpd());
  played.files.everywhere(`${HLS}?token=a`, MASTER);
  played.files.everywhere(`${VIDEO}/umlaut.m3u8`, MASTER.replace("#EXT-X-STREAM-INF:", '#EXT-X-STREAM-INF:NAME="Straße",'));
  played.files.everywhere(`${VIDEO}/broken.m3u8`, MASTER.replace("v1/", "https://elsewhere.example/"));
  const { app } = played;
  const answerNow: typeof app.answerNow = (incoming, outgoing) => {
    const answered = app.answerNow(incoming, outgoing);
    if (answered) taken += 1;
    return answered;
  };
  const listened = short ? { fetch: app.fetch, answerNow } : { fetch: app.fetch };
  const listen = { host: "127.0.0.1", port: 0 };
  const server = stack.use(await GatewayServer.listen({ app: listened, listen, clock: systemClock, targets: "raw", graceMs: 100 }));
  whole.push({ played, server });
}

beforeAll(async () => {
  await gateway(false);
  await gateway(true);
});

afterAll(async () => {
  await stack.disposeAsync();
});

async function ask({ address }: GatewayServer, { method, target, headers }: Shape): Promise<Answer> {
  const outgoing = httpRequest({ ...address, path: target, method, headers: { ...headers }, agent }).end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of incoming.setEncoding("latin1")) body += String(chunk);
  const { date: _, ...told } = incoming.headers;
  return { status: incoming.statusCode, headers: told, body };
}

/** What is the gateway's own choice in every request. */
function comparable({ status, headers, body }: Answer): Answer {
  const made = /^00000000-0000-4000-8000-\d{12}$/.test(String(headers["x-request-id"]));
  const text = body.replaceAll(/00000000-0000-4000-8000-\d{12}/g, "(made)");
  return { status, headers: made ? { ...headers, "x-request-id": "(made)" } : headers, body: text };
}

const asked: fc.Arbitrary<Shape> = fc
  .record({
    method: fc.constantFrom("GET", "GET", "GET", "GET", "HEAD"),
    target: fc.constantFrom(
      HLS,
      HLS,
      DASH,
      `${HLS}?token=a`,
      `${HLS}?CMCD=sid%3D%22x%22`,
      `${VIDEO}/v1/index.m3u8`,
      `${VIDEO}/v1/s0.m4s`,
      `${VIDEO}/umlaut.m3u8`,
      `${VIDEO}/broken.m3u8`,
      `${VIDEO}/none.m3u8`,
      `${FILM}/v1/s0.m4s`,
      `/${LOCATOR}/v.ism/manifest`,
    ),
    headers: fc.record(
      {
        host: fc.constantFrom("steer.example", "steer.example", "steer.example", "anchor.example", "STEER.example:8080", "other.example"),
        "x-request-id": fc.constantFrom("request-0001", "short"),
        "accept-encoding": fc.constantFrom("gzip, deflate, br", "gzip, deflate, br", "*", "br, gzip;q=0"),
      },
      { requiredKeys: ["host"] },
    ),
    /** Seldom: each makes a request one of its own. */
    more: fc.oneof(
      { weight: 8, arbitrary: fc.constant({}) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          { authorization: "Bearer token-value" },
          { cookie: "a=b" },
          { "x-forwarded-proto": "https" },
          { "x-forwarded-proto": "http" },
          { connection: "close" },
        ),
      },
    ),
  })
  .map(({ more, headers, ...shape }) => ({ ...shape, headers: { ...headers, ...more } }));

const worlds = fc.record({
  health: fc.tuple(fc.constantFrom(...HEALTH_STATUSES), fc.constantFrom(...HEALTH_STATUSES)),
  share: fc.constantFrom(1, 1, 1, 0.5),
  copies: fc.constantFrom("aligned", "aligned", "differing", "one"),
  /** Manifests are kept for a while, refusals and fallbacks for a second. */
  passedMs: fc.constantFrom(0, 400, 2_000, 120_000),
});

function change({ catalogue, health }: Stage, state: typeof worlds extends fc.Arbitrary<infer S> ? S : never): void {
  const one = entry({ westeurope: "withdrawn", northeurope: "verified" }, { keys: [] });
  catalogue.list = [state.copies === "one" ? one : aligned(state.copies === "aligned")];
  for (const [index, region] of ["westeurope", "northeurope"].entries()) {
    const status = state.health[index] ?? "unknown";
    health.put(region, "streaming", { ...serviceHealth(status, "status"), share: index === 0 ? state.share : 1 });
  }
}

describe("the short way for manifests", () => {
  it("answers as the application does, whatever is asked, and whatever has changed since", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(worlds, fc.array(asked, { minLength: 12, maxLength: 24 }), async (state, requests) => {
        await clock.advance(state.passedMs);
        for (const { played } of whole) change(played, state);
        for (const shape of requests) {
          const [application, shortened] = await Promise.all(whole.map(async ({ server }) => ask(server, shape)));
          if (application === undefined || shortened === undefined) throw new Error("two answers are compared");
          expect(comparable(shortened), JSON.stringify([state, shape])).toEqual(comparable(application));
          compared += 1;
        }
      }),
      { numRuns: 60 },
    );
    // A property that compares the application with itself would prove nothing.
    expect(taken).toBeGreaterThan(compared / 5);
  });

  it("sends gzip to those who take it, of any length, and the text to all others", async () => {
    for (const { played, server } of whole) {
      played.catalogue.list = [aligned(true)];
      played.files.everywhere(`${VIDEO}/long.m3u8`, `${MASTER}${"# what nobody knows\n".repeat(2_000)}`);
      for (const target of [HLS, DASH, `${VIDEO}/umlaut.m3u8`, `${VIDEO}/long.m3u8`]) {
        const host = { host: "steer.example" };
        const texts = [];
        const before = taken;
        for (const encoding of ["identity", "gzip", "identity", "gzip", "gzip;q=0"]) {
          const { headers, body } = await ask(server, { method: "GET", target, headers: { ...host, "accept-encoding": encoding } });
          const bytes = Buffer.from(body, "latin1");
          expect([target, encoding, headers["content-encoding"], headers["vary"], headers["content-length"]]).toEqual([
            target,
            encoding,
            encoding === "gzip" ? "gzip" : undefined,
            "accept-encoding",
            String(bytes.length),
          ]);
          texts.push((encoding === "gzip" ? gunzipSync(bytes) : bytes).toString());
        }
        // From the second of each form on, by the short way.
        expect(taken - before).toBe(server === whole[1]?.server ? 3 : 0);
        expect(new Set(texts).size).toBe(1);
        expect(texts[0]).toMatch(/CONTENT-STEERING|ContentSteering/);
        const head = await ask(server, { method: "HEAD", target, headers: { ...host, "accept-encoding": "gzip" } });
        expect([head.headers["content-encoding"], head.body]).toEqual(["gzip", ""]);
      }
    }
  });

  it("counts and logs as the application does", async () => {
    const hosts = ["steer.example", "steer.example", "anchor.example", "other.example"];
    const told = await Promise.all(
      whole.map(async ({ played: { metrics, logs, catalogue, health }, server }) => {
        catalogue.list = [aligned(true)];
        for (const region of ["westeurope", "northeurope"]) health.set(region, "streaming", "healthy");
        await ask(server, { method: "GET", target: HLS, headers: { host: "steer.example" } });
        await ask(server, { method: "GET", target: `${VIDEO}/broken.m3u8`, headers: { host: "steer.example" } });
        const before = await counts(metrics);
        const from = logs.lines.length;
        for (const host of hosts) await ask(server, { method: "GET", target: HLS, headers: { host, "x-request-id": "request-0001" } });
        await ask(server, {
          method: "GET",
          target: `${VIDEO}/broken.m3u8`,
          headers: { host: "steer.example", "x-request-id": "request-0002" },
        });
        const lines = logs.lines.slice(from).map((line) => ({ ...(JSON.parse(line) as object), time: null, ms: null }));
        const after = await counts(metrics);
        return { lines, counted: after.map((count, index) => count - (before[index] ?? 0)) };
      }),
    );
    expect(told[1]).toEqual(told[0]);
    expect(told[0]?.lines).toHaveLength(5);
    expect(told[0]?.counted).toEqual([2, 1, 1, 2]);
  });

  it("draws for each viewer where the policy draws", async () => {
    const [, short] = whole;
    if (short === undefined) throw new Error("two gateways");
    const shape = { method: "GET", target: HLS, headers: { host: "drawn.example" } };
    const before = taken;
    for (let viewer = 0; viewer < 3; viewer += 1) expect((await ask(short.server, shape)).status).toBe(200);
    expect(taken).toBe(before);
  });
});

async function counts(metrics: Stage["metrics"]): Promise<number[]> {
  const of = async (name: string, labels: Record<string, string>) => (await series(metrics, name, labels)) ?? 0;
  return [
    await of("paircast_requests_total", { kind: "manifest", mode: "steer", code: "2xx" }),
    await of("paircast_requests_total", { kind: "manifest", mode: "anchor", code: "2xx" }),
    await of("paircast_playback_fallbacks_total", { mode: "steer", reason: "foreign_uri" }),
    await of("paircast_requests_total", { kind: "manifest", mode: "redirect", code: "3xx" }),
  ];
}
