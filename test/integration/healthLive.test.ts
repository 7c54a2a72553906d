/** Live channels in two regions over real TLS: what no status code shows, and how soon it is seen. */
import { beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { healthSection } from "../../src/core/config/health.ts";
import type { HealthStatus, Service, ServiceHealth } from "../../src/core/contracts.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { silentLog } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import { TlsCertificates } from "../../src/core/tls.ts";
import { startHealth, type HealthMonitor } from "../../src/health/monitor.ts";
import { createAuthority, type CertificateAuthority, type ServerCertificates } from "../../src/sandbox/certificates.ts";
import { LiveChannel, TARGET_MS } from "../fakes/liveChannel.ts";
import { startOrigin, type Origin } from "../fakes/origin.ts";
import { testKey } from "../fakes/packagedVideo.ts";
import { eventually, within } from "../harness/wait.ts";

/** No answer that comes is too late, on the busiest of machines. */
const config = healthSection.parse({ interval: "500ms", fastInterval: "200ms", timeout: "20s", fall: 2, rise: 2, damping: { base: "0s" } });
/** For a change that is due after some probes. How soon it comes is counted in probes, which a busy machine makes less often. */
const DEADLINE_MS = 60_000;
/** Beside the probes that decide, one may have been under way when the channel changed. */
const UNDERWAY = 1;
const key = testKey("right");

let authority: CertificateAuthority;
let certificates: ServerCertificates;

beforeAll(async () => {
  authority = await createAuthority(systemClock);
  certificates = await authority.issue(["127.0.0.1"]);
});

interface Stage extends AsyncDisposable {
  readonly west: Origin;
  readonly channel: LiveChannel;
  readonly health: HealthMonitor;
  of(service: Service): ServiceHealth;
  /** Resolves with what is known then. */
  until(service: Service, status: HealthStatus): Promise<ServiceHealth>;
  /**
   * Probes of the service that found it well before it became ill, of those that have begun at this time of the clock or later; with
   * `allowedMs`: at least so long after the first of them was answered.
   */
  wellSince(service: Service, from: number, allowedMs?: number): number;
}

async function startStage(protocol: string): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const channels = [new LiveChannel("/live/", systemClock), new LiveChannel("/live/", systemClock)] as const;
  const origins: Origin[] = [];
  for (const channel of channels) {
    // The prefix of the gateway's key URLs: the regions' own key delivery is asked.
    channel.encryption = { key, keyUri: "https://gateway.example/keys/key?kid=1", iv: testKey("iv") };
    origins.push(stack.use(await startOrigin({ files: new Map(), key, channel, certificate: certificates.valid })));
  }
  const [west, north] = origins as [Origin, Origin];
  const canary = { manifest: protocol === "hls" ? "/live/master.m3u8" : "/live/manifest.mpd" };
  const regions = [west, north].map(({ url }, index) => ({
    name: ["we", "ne"][index] ?? "",
    streaming: url,
    keys: url,
    canary,
    ca: authority.ca,
  }));
  const addresses = [west, north].map(({ url }) => ({ url, ca: authority.ca }));
  const health = startHealth({
    regions,
    config,
    http: stack.use(new RegionHttpClient({ origins: addresses })),
    certificates: new TlsCertificates({ origins: addresses, clock: systemClock }),
    keyDoor: { prefix: "/keys", host: null },
    canaries: { canary: async () => null },
    fingerprint: keyedFingerprint(testKey("secret")),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: new Metrics({ version: "0", regions: regions.map(({ name }) => ({ name, keys: true })) }),
  });
  stack.use(health);
  await within(DEADLINE_MS, "the first probes", health.ready());
  const of = (service: Service, region = "we"): ServiceHealth => {
    const found = health.snapshot().regions[region]?.[service];
    if (found === undefined) throw new Error(`no ${region}/${service}`);
    return found;
  };
  const until: Stage["until"] = async (service, status) => {
    const seen = await eventually(DEADLINE_MS, `we/${service} to become ${status}`, async () =>
      Promise.resolve(of(service).status === status ? of(service) : null),
    );
    return seen.value;
  };
  const wellSince: Stage["wellSince"] = (service, from, allowedMs) => {
    const probes = health.history("we", service).filter(({ at }) => at >= from && at <= of(service).since);
    const [first] = probes;
    const due = first === undefined || allowedMs === undefined ? from : first.at + first.durationMs + allowedMs;
    return probes.filter(({ at, ok }) => ok && at >= due).length;
  };
  // The second round of probes has compared the keys and seen the channel go on.
  await eventually(DEADLINE_MS, "the key to be proven", async () => {
    const last = health.history("we", "keys").at(-1)?.detail ?? "";
    return last.includes("decrypts the video") ? last : null;
  });
  return {
    west,
    channel: channels[0],
    health,
    of,
    until,
    wellSince,
    [Symbol.asyncDispose]: async () => {
      for (const service of ["streaming", "keys"] as const) expect(of(service, "ne").status).toBe("healthy");
      await stack.disposeAsync();
    },
  };
}

describe.concurrent.each(["hls", "dash"])("a live channel in %s over TLS", (protocol) => {
  it("is well while it goes on", async () => {
    await using stage = await startStage(protocol);
    const probes = stage.health.history("we", "streaming").length;
    await eventually(DEADLINE_MS, "a dozen probes", async () =>
      stage.health.history("we", "streaming").length > probes + 12 ? true : null,
    );
    // A time-out is this machine's own, at this load.
    expect(stage.health.history("we", "streaming").filter(({ ok, reason }) => !ok && reason !== "timeout")).toEqual([]);
    expect(stage.of("streaming")).toMatchObject({ status: "healthy" });
    expect(stage.of("keys")).toMatchObject({ status: "healthy" });
  });

  it("is stale within 1.5 target durations and one probe", async () => {
    await using stage = await startStage(protocol);
    stage.channel.frozenAt = systemClock.monotonic();
    const from = systemClock.now();
    const allowed = protocol === "hls" ? 1.5 * TARGET_MS : 2 * TARGET_MS;
    const { reason } = await stage.until("streaming", "unhealthy");
    expect(reason).toBe("stale");
    expect(stage.wellSince("streaming", from, allowed)).toBeLessThanOrEqual(UNDERWAY);
    stage.channel.frozenAt = null;
    await stage.until("streaming", "healthy");
  });

  it.each([
    ["regressed", (channel: LiveChannel) => (channel.offset = -30)],
    ["rewritten", (channel: LiveChannel) => (channel.naming = "b/")],
  ])("is %s within two probes", async (reason, change) => {
    await using stage = await startStage(protocol);
    const from = systemClock.now();
    change(stage.channel);
    expect((await stage.until("streaming", "unhealthy")).reason).toBe(reason);
    expect(stage.wellSince("streaming", from)).toBeLessThanOrEqual(1 + UNDERWAY);
  });

  it("with a wrong key is ill in its key delivery alone, within two probes", async () => {
    await using stage = await startStage(protocol);
    const from = systemClock.now();
    stage.west.fault = "wrong-key";
    expect((await stage.until("keys", "unhealthy")).reason).toBe("key_mismatch");
    expect(stage.wellSince("keys", from)).toBeLessThanOrEqual(1 + UNDERWAY);
    expect(stage.of("streaming").status).toBe("healthy");
  });

  it("is ill by a certificate that has run out, although its connections stay, and well again with a good one", async () => {
    await using stage = await startStage(protocol);
    stage.west.present(certificates.expired);
    expect((await stage.until("streaming", "unhealthy")).reason).toBe("tls");
    await stage.until("keys", "unhealthy");
    stage.west.present(certificates.valid);
    await stage.until("streaming", "healthy");
    await stage.until("keys", "healthy");
  });

  it("is degraded by a clock that is wrong", async () => {
    await using stage = await startStage(protocol);
    stage.west.skewMs = 60_000;
    const value = await stage.until("streaming", "degraded");
    expect(value.signals?.map(({ kind }) => kind)).toEqual(["clock"]);
  });
});
