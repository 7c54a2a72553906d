/** `/probe` and `/api/health`: what monitoring elsewhere asks. */
import { expect, it } from "vitest";
import { silentLog } from "../../src/core/log.ts";
import { buildAdmin } from "../../src/gateway/admin.ts";
import { adminSchemas } from "../../src/gateway/adminSchemas.ts";
import { buildWorld, ManualClock } from "./world.ts";

const RECORD = { at: 5, ok: false, reason: "timeout" as const, durationMs: 2_000, detail: "no answer within 2000 ms" };

function admin() {
  const world = buildWorld({ clock: new ManualClock() });
  const history = (region: string, service: string) => (region === "westeurope" && service === "keys" ? [RECORD] : []);
  const app = buildAdmin({
    ...world,
    health: { snapshot: () => world.health.snapshot(), history },
    version: "1.2.3",
    startedAt: 7,
    gatewayUrl: "http://127.0.0.1:8080",
    keysPrefix: "/keys",
    jobs: async () => Promise.resolve([]),
    conflicts: async () => Promise.resolve([]),
    replication: async () => Promise.resolve({ at: 0, targets: [], queue: null, backfill: [], lastFullAt: null }),
    events: { subscribe: () => () => undefined },
    log: silentLog,
    token: null,
    page: null,
    sandbox: null,
  });
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { host: "localhost", ...headers } });
  return { ask, probes: world.probes };
}

it("answers with blackbox_exporter's names, each reason for itself", async () => {
  const { ask } = admin();
  const answer = await ask("/probe?module=hls&target=https://we.streaming.example/a.m3u8");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toContain("text/plain");
  const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines).toEqual(
    expect.arrayContaining([
      "probe_success 0",
      "probe_duration_seconds 0.25",
      "probe_http_status_code 200",
      'probe_http_duration_seconds{phase="manifest"} 0.1',
      "probe_ssl_earliest_cert_expiry 1800000000",
      "probe_failed_due_to_stale 1",
      "probe_failed_due_to_timeout 0",
    ]),
  );
  expect(lines.some((line) => line.startsWith("paircast_"))).toBe(false);
});

it("leaves the scraper time for the way back", async () => {
  const { ask, probes } = admin();
  await ask("/probe?target=https://we.streaming.example/", { "x-prometheus-scrape-timeout-seconds": "5" });
  await ask("/probe?target=https://we.streaming.example/", { "x-prometheus-scrape-timeout-seconds": "soon" });
  await ask("/probe?target=https://we.streaming.example/");
  expect(probes.asked.map((each) => each.split(" "))).toEqual([
    ["http", "https://we.streaming.example/", "4500"],
    ["http", "https://we.streaming.example/", "10000"],
    ["http", "https://we.streaming.example/", "10000"],
  ]);
});

it.each([
  ["/probe", "no_target"],
  ["/probe?target=https://we.streaming.example/&module=icmp", "unknown_module"],
  ["/probe?target=http://169.254.169.254/latest", "not_configured"],
])("refuses %s", async (path, error) => {
  const answer = await admin().ask(path);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error });
});

it("lists the last results of every check", async () => {
  const answer = adminSchemas.Checks.parse(await (await admin().ask("/api/health")).json());
  expect(answer.regions.map(({ name, checks }) => [name, checks.map(({ service, history }) => [service, history.length])])).toEqual([
    [
      "westeurope",
      [
        ["streaming", 0],
        ["keys", 1],
      ],
    ],
    [
      "northeurope",
      [
        ["streaming", 0],
        ["keys", 0],
      ],
    ],
  ]);
  expect(answer.regions[0]?.checks[1]?.history).toEqual([RECORD]);
});
