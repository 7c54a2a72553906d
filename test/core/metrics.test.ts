import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { FAILURE_REASONS } from "../../src/core/contracts.ts";
import { Metrics } from "../../src/core/metrics.ts";

let metrics: Metrics;

beforeEach(() => {
  metrics = new Metrics({
    version: "1.2.3",
    regions: [
      { name: "westeurope", keys: true },
      { name: "northeurope", keys: false },
    ],
  });
});

/** The value of one series, as it is exposed; undefined where it is not. */
async function series(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  const wanted = Object.entries(labels);
  const isWanted = (has: Partial<Record<string, unknown>>) =>
    Object.keys(has).length === wanted.length && wanted.every(([label, value]) => has[label] === value);
  return metric?.values.find(({ labels: has }) => isWanted(has))?.value;
}

describe("from the start", () => {
  test("every counter that a region or a kind of request can have is there, at 0", async () => {
    expect(await series("paircast_requests_total", { kind: "manifest", mode: "redirect", code: "3xx" })).toBe(0);
    expect(await series("paircast_requests_total", { kind: "other", mode: "local", code: "4xx" })).toBe(0);
    expect(await series("paircast_decisions_total", { kind: "key", reason: "failopen" })).toBe(0);
    expect(await series("paircast_routed_requests_total", { kind: "media", origin: "northeurope" })).toBe(0);
    expect(await series("paircast_replication_jobs_total", { target: "westeurope", result: "conflict" })).toBe(0);
    expect(await series("paircast_failopen_active", { service: "keys" })).toBe(0);
    for (const reason of FAILURE_REASONS) {
      expect(await series("paircast_probe_failures_total", { origin: "westeurope", service: "keys", reason })).toBe(0);
    }
  });

  test("a service is unknown until it was looked at", async () => {
    expect(await series("paircast_service_state", { origin: "westeurope", service: "streaming", state: "unknown" })).toBe(1);
    expect(await series("paircast_service_state", { origin: "westeurope", service: "streaming", state: "healthy" })).toBe(0);
  });

  test("a region without key delivery has no series for it", async () => {
    expect(await series("paircast_service_state", { origin: "northeurope", service: "keys", state: "unknown" })).toBeUndefined();
    expect(await series("paircast_service_state", { origin: "northeurope", service: "streaming", state: "unknown" })).toBe(1);
  });

  test("the version is told", async () => {
    expect(await series("paircast_build_info", { version: "1.2.3", node: process.version })).toBe(1);
  });
});

describe("recording", () => {
  test("a request counts by class of status, with its duration", async () => {
    metrics.request("manifest", "redirect", 302, 0.002);
    metrics.request("manifest", "redirect", 304, 0.2);
    expect(await series("paircast_requests_total", { kind: "manifest", mode: "redirect", code: "3xx" })).toBe(2);
    const text = await metrics.registry.getSingleMetricAsString("paircast_request_duration_seconds");
    expect(text).toContain('paircast_request_duration_seconds_bucket{le="0.0025",kind="manifest",mode="redirect"} 1');
    expect(text).toContain('paircast_request_duration_seconds_count{kind="manifest",mode="redirect"} 2');
  });

  test("a decision counts its reason, and its origin where there is one", async () => {
    metrics.decision("key", "failover", "northeurope");
    metrics.decision("key", "unavailable", null);
    expect(await series("paircast_decisions_total", { kind: "key", reason: "failover" })).toBe(1);
    expect(await series("paircast_decisions_total", { kind: "key", reason: "unavailable" })).toBe(1);
    expect(await series("paircast_routed_requests_total", { kind: "key", origin: "northeurope" })).toBe(1);
    expect(await series("paircast_routed_requests_total", { kind: "key", origin: "westeurope" })).toBe(0);
  });

  test("a change of state leaves exactly one state at 1", async () => {
    metrics.transition("westeurope", "keys", "healthy");
    metrics.transition("westeurope", "keys", "unhealthy");
    const states = await Promise.all(
      ["healthy", "unhealthy", "unknown"].map(
        async (state) => await series("paircast_service_state", { origin: "westeurope", service: "keys", state }),
      ),
    );
    expect(states).toEqual([0, 1, 0]);
    expect(await series("paircast_service_state_changes_total", { origin: "westeurope", service: "keys", to: "unhealthy" })).toBe(1);
  });

  test("a failed probe counts its reason, a good one does not", async () => {
    metrics.probe("westeurope", "streaming", 0.02, null);
    metrics.probe("westeurope", "streaming", 2, "timeout");
    expect(await series("paircast_probes_total", { origin: "westeurope", service: "streaming", result: "success" })).toBe(1);
    expect(await series("paircast_probes_total", { origin: "westeurope", service: "streaming", result: "failure" })).toBe(1);
    expect(await series("paircast_probe_failures_total", { origin: "westeurope", service: "streaming", reason: "timeout" })).toBe(1);
  });

  test("copied blobs and their bytes add up, gauges are replaced", async () => {
    metrics.copied("northeurope", 1000);
    metrics.copied("northeurope", 24);
    metrics.catalogued("northeurope", 5);
    metrics.catalogued("northeurope", 3);
    metrics.replicationPass(1_700_000_000);
    metrics.failOpen("streaming", true);
    expect(await series("paircast_replication_copied_blobs_total", { target: "northeurope" })).toBe(2);
    expect(await series("paircast_replication_copied_bytes_total", { target: "northeurope" })).toBe(1024);
    expect(await series("paircast_catalogue_locators", { origin: "northeurope" })).toBe(3);
    expect(await series("paircast_replication_last_pass_timestamp_seconds")).toBe(1_700_000_000);
    expect(await series("paircast_failopen_active", { service: "streaming" })).toBe(1);
  });

  test("rejections, look-ups, upstream failures and clients that went away are counted", async () => {
    metrics.rejection("too_long");
    metrics.lookup("asked");
    metrics.upstreamFailure("westeurope", "keys", "reset");
    metrics.clientGone();
    metrics.job("northeurope", "unchanged");
    expect(await series("paircast_rejections_total", { reason: "too_long" })).toBe(1);
    expect(await series("paircast_locator_lookups_total", { result: "asked" })).toBe(1);
    expect(await series("paircast_upstream_failures_total", { origin: "westeurope", service: "keys", reason: "reset" })).toBe(1);
    expect(await series("paircast_client_gone_total")).toBe(1);
    expect(await series("paircast_replication_jobs_total", { target: "northeurope", result: "unchanged" })).toBe(1);
  });
});

describe("overrides", () => {
  const active = {
    id: "1",
    kind: "drain",
    region: "westeurope",
    service: "all",
    reason: "r",
    by: "ada",
    createdAt: 0,
    expiresAt: 5_000,
  } as const;
  const value = async (name: string, origin: string, service: string, kind: string) =>
    series(`paircast_override_${name}`, { origin, service, kind });

  test("are 1 with their end while they are in force, and 0 afterwards", async () => {
    metrics.overrides([active, { ...active, id: "2", service: "keys", expiresAt: 9_000 }, { ...active, id: "3", region: "elsewhere" }]);
    expect(await value("active", "westeurope", "streaming", "drain")).toBe(1);
    expect(await value("active", "westeurope", "streaming", "pin")).toBe(0);
    expect(await value("active", "northeurope", "streaming", "drain")).toBe(0);
    expect(await value("active", "elsewhere", "streaming", "drain")).toBeUndefined();
    expect(await value("active", "northeurope", "keys", "drain")).toBeUndefined();
    expect(await value("expires_timestamp_seconds", "westeurope", "streaming", "drain")).toBe(5);
    expect(await value("expires_timestamp_seconds", "westeurope", "keys", "drain")).toBe(9);
    expect([await value("active", "westeurope", "encoding", "drain"), await value("active", "westeurope", "encoding", "pin")]).toEqual([
      1,
      undefined,
    ]);
    metrics.overrides([{ ...active, service: "encoding" }]);
    expect([await value("active", "westeurope", "encoding", "drain"), await value("active", "westeurope", "streaming", "drain")]).toEqual([
      1, 0,
    ]);
    metrics.overrides([]);
    expect(await value("active", "westeurope", "keys", "drain")).toBe(0);
    expect(await value("expires_timestamp_seconds", "westeurope", "keys", "drain")).toBe(0);
  });

  test("of a region that a reload adds are there at once", async () => {
    metrics.overrides([{ ...active, region: "southeurope" }]);
    await metrics.setRegions([{ name: "southeurope", keys: false }]);
    expect(await value("active", "southeurope", "streaming", "drain")).toBe(1);
    expect(await value("active", "westeurope", "streaming", "drain")).toBeUndefined();
  });
});

describe("conventions", () => {
  const own = async () => (await metrics.registry.getMetricsAsJSON()).filter(({ name }) => !/^paircast_(process|nodejs)_/.test(name));

  test("names have the prefix and a base unit; counters, and only they, end in _total", async () => {
    for (const { name, type } of await own()) {
      expect(name).toMatch(/^paircast_[a-z]+(_[a-z]+)*$/);
      expect(name).not.toMatch(/_(ms|millis|kb|percent)(_|$)/);
      expect(name.endsWith("_total"), name).toBe(String(type) === "counter");
    }
  });

  test("no label can hold a URL, a locator or a key", async () => {
    const allowed = ["code", "kind", "le", "mode", "node", "origin", "reason", "result", "service", "state", "target", "to", "version"];
    const labels = new Set((await own()).flatMap(({ values }) => values.flatMap((value) => Object.keys(value.labels))));
    expect([...labels].filter((label) => !allowed.includes(label))).toEqual([]);
  });

  test("the README's table lists every metric and no other", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const listed = [...readme.matchAll(/^\| `(paircast_[a-z_]+)`/gm)].map((row) => row[1] ?? "").toSorted();
    expect(listed).toEqual((await own()).map(({ name }) => name).toSorted());
  });
});
