/** Two regions in memory, with everything that a gateway is given: what tests of the gateway are played in. */
import type { Clock, Random } from "../../src/core/clock.ts";
import { configSchema, type GatewayConfig } from "../../src/core/config/schema.ts";
import type {
  CatalogueEntry,
  FailureReason,
  HealthSnapshot,
  HealthStatus,
  Outcome,
  PlaybackRequest,
  Region,
  Service,
  ServiceHealth,
} from "../../src/core/contracts.ts";
import { PaircastError } from "../../src/core/errors.ts";
import { HttpFailure } from "../../src/core/http.ts";
import { createLog } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import type { CatalogueView } from "../../src/core/ports/catalogue.ts";
import type { ProbeOnDemand, ProbeRecord } from "../../src/core/ports/health.ts";
import type { CountryReader, HttpAnswer, HttpClient, HttpQuestion } from "../../src/core/ports/http.ts";
import { HttpLocatorAsker } from "../../src/gateway/ask.ts";
import { candidatesFor } from "../../src/gateway/candidates.ts";
import { LocatorDirectory } from "../../src/gateway/locate.ts";
import { OverrideControl } from "../../src/gateway/overrides/control.ts";
import { CachedOverrideView } from "../../src/gateway/overrides/overrideView.ts";
import type { FrontDoor } from "../../src/gateway/request.ts";
import { frontDoorOf, routingRulesOf } from "../../src/gateway/routePolicies.ts";
import { PlaybackRouter } from "../../src/gateway/router.ts";
import { MemoryOverrides } from "../fakes/memoryOverrides.ts";

export const LOCATOR = "8d7ab48c-5d43-4f31-9d52-4f4f0e8d2f63";
export const UNKNOWN_LOCATOR = "11111111-2222-4333-8444-555555555555";
export const KEY_ID = "f5d3c6c9-0d38-4f12-a1e6-35a1b9e7c0de";

export const REGIONS: readonly Region[] = [
  { name: "westeurope", streaming: "https://we.streaming.example", keys: "https://we.keys.example/base" },
  { name: "northeurope", streaming: "https://ne.streaming.example/origin", keys: "https://ne.keys.example" },
];

export const DOOR: FrontDoor = { prefixes: ["/vod/"], keyPrefix: "/keys", keyHost: "keys.gateway.example" };

export function entry(
  regions: Readonly<Record<string, "verified" | "withdrawn">>,
  overrides: Partial<CatalogueEntry> = {},
): CatalogueEntry {
  return {
    locatorId: LOCATOR,
    locatorName: "locator",
    assetName: "asset",
    source: "westeurope",
    streamingPolicyName: null,
    contentKeyPolicyName: null,
    manifests: { hls: null, dash: null },
    keys: [{ id: KEY_ID, fingerprint: "00" }],
    regions: Object.fromEntries(Object.entries(regions).map(([name, state]) => [name, { state, at: 1, detail: "for the test" }])),
    publishedAt: 1,
    ...overrides,
  };
}

export const EVERYWHERE = entry({ westeurope: "verified", northeurope: "verified" });

class MemoryCatalogue implements CatalogueView {
  list: CatalogueEntry[] = [];

  byLocator(locatorId: string): CatalogueEntry | undefined {
    return this.list.find((each) => each.locatorId === locatorId);
  }

  byKey(keyId: string): CatalogueEntry | undefined {
    return this.list.find((each) => each.keys.some((key) => key.id === keyId));
  }

  entries(): readonly CatalogueEntry[] {
    return this.list;
  }
}

export function serviceHealth(status: HealthStatus, reason: FailureReason | null = null): ServiceHealth {
  return { status, since: 1, reason, detail: reason, checkedAt: 1, pending: 0 };
}

/** Health that a test sets; all healthy at first. */
class MemoryHealth {
  #snapshot: HealthSnapshot;

  constructor(regions: readonly Region[], status: HealthStatus = "healthy") {
    const both = { streaming: serviceHealth(status), keys: serviceHealth(status) };
    this.#snapshot = { takenAt: 1, regions: Object.fromEntries(regions.map(({ name }) => [name, both])) };
  }

  snapshot(): HealthSnapshot {
    return this.#snapshot;
  }

  history(): readonly ProbeRecord[] {
    return [];
  }

  set(region: string, service: Service, status: HealthStatus, reason: FailureReason | null = null): void {
    this.put(region, service, serviceHealth(status, reason));
  }

  put(region: string, service: Service, state: ServiceHealth): void {
    const { takenAt, regions } = this.#snapshot;
    this.#snapshot = {
      takenAt: takenAt + 1,
      regions: { ...regions, [region]: { ...regions[region], [service]: state } },
    };
  }
}

export interface Observed {
  readonly region: string;
  readonly service: Service;
  readonly outcome: Outcome;
}

class RecordingOutcomes {
  readonly observed: Observed[] = [];
  /** Who saw each of them. */
  readonly viewers: (string | undefined)[] = [];

  observe(region: string, service: Service, outcome: Outcome, viewer?: string): void {
    this.viewers.push(viewer);
    this.observed.push({ region, service, outcome });
  }

  /** `region:reason` of each failure, `region:ok` of each success. */
  get words(): string[] {
    return this.observed.map(({ region, outcome }) => `${region}:${outcome.ok ? "ok" : outcome.reason}`);
  }
}

/** Answers one report to everything, and keeps what it was asked. */
class ScriptedProbes implements ProbeOnDemand {
  readonly modules = ["hls", "http"];
  readonly asked: string[] = [];

  async probe(module: string, target: string, timeoutMs: number) {
    this.asked.push(`${module} ${target} ${timeoutMs}`);
    if (!target.startsWith("https://we.")) throw new PaircastError("not_configured", "refused to probe it");
    const report = { success: false, durationSeconds: 0.25, phases: { manifest: 0.1 }, statusCode: 200, tlsExpiry: 1_800_000_000 };
    return Promise.resolve({ ...report, failureReason: "stale" as const, detail: "as scripted" });
  }
}

type Scripted = number | FailureReason | { readonly status: number; readonly contentType: string } | "never";

/** Answers by origin, and keeps what it was asked. `never` leaves a question open until its signal or the test's end. */
export class ScriptedHttp implements HttpClient {
  readonly asked: HttpQuestion[] = [];
  readonly script = new Map<string, Scripted | ((question: HttpQuestion) => Scripted | Promise<Scripted>)>();

  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    this.asked.push(question);
    const step = this.script.get(new URL(question.url).origin) ?? 404;
    const scripted = typeof step === "function" ? await step(question) : step;
    if (scripted === "never") return new Promise<HttpAnswer>(() => undefined);
    if (typeof scripted === "string") throw new HttpFailure(scripted, "as scripted");
    const status = typeof scripted === "number" ? scripted : scripted.status;
    const headers: Record<string, string> = typeof scripted === "number" ? {} : { "content-type": scripted.contentType };
    return { status, headers, body: new Uint8Array() };
  }
}

/** Time that stands still until `advance`. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  #waiting: { readonly at: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        reject(new DOMException("aborted", "AbortError"));
      });
      this.#waiting.push({ at: this.#now + ms, wake: resolve });
    });
  }

  deadline(ms: number): Disposable & { signal: AbortSignal } {
    const controller = new AbortController();
    const wake = () => {
      controller.abort(new DOMException("too late", "TimeoutError"));
    };
    this.#waiting.push({ at: this.#now + ms, wake });
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        this.#waiting = this.#waiting.filter((waiting) => waiting.wake !== wake);
      },
    };
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.#now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}

/** Ids 00000000-…-000000000001 and so on. */
function countingRandom(): Random {
  let count = 0;
  return {
    next: () => 0.5,
    uuid: () => {
      count += 1;
      return `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`;
    },
  };
}

class LogLines {
  readonly lines: string[] = [];
  readonly log = createLog("debug", { write: (line) => this.lines.push(line) });

  /** Parsed lines of one event. */
  of(event: string): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line["event"] === event);
  }
}

export interface WorldOptions {
  readonly regions?: readonly Region[];
  readonly gateway?: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly http?: HttpClient;
  readonly countries?: CountryReader;
}

/** A router over memory; `config` is what the schema makes of `gateway`. */
export function buildWorld({ regions = REGIONS, gateway = {}, clock, http = new ScriptedHttp(), countries }: WorldOptions) {
  const keys = { host: "keys.gateway.example", ...(gateway["keys"] as object | undefined) };
  const config: GatewayConfig = configSchema.parse({
    regions: regions.map(({ name, streaming, keys: keysUrl }) => ({ name, streaming, ...(keysUrl === null ? {} : { keys: keysUrl }) })),
    gateway: { prefixes: ["/vod/"], ...gateway, keys },
  }).gateway;
  const metrics = new Metrics({ version: "0", regions: regions.map(({ name, keys: url }) => ({ name, keys: url !== null })) });
  const health = new MemoryHealth(regions);
  const catalogue = new MemoryCatalogue();
  const outcomes = new RecordingOutcomes();
  const logs = new LogLines();
  const random = countingRandom();
  const overrideStore = new MemoryOverrides();
  const overrideView = new CachedOverrideView({ store: overrideStore, clock, log: logs.log });
  const overrides = new OverrideControl({ store: overrideStore, view: overrideView, regions, health, clock, random });
  const candidates = candidatesFor("streaming", regions);
  const asker = new HttpLocatorAsker({ http, outcomes, metrics, clock, timeoutMs: config.unknownLocators.timeout });
  const directory = new LocatorDirectory({
    catalogue,
    health,
    overrides: overrideView,
    clock,
    asker,
    candidates,
    options: config.unknownLocators,
  });
  const door = frontDoorOf(config);
  const routing = routingRulesOf(config, countries ?? null);
  const router = new PlaybackRouter({ regions, door, routing, health, overrides: overrideView, directory, metrics, clock, random });
  return {
    config,
    metrics,
    health,
    catalogue,
    outcomes,
    logs,
    directory,
    door,
    routing,
    router,
    random,
    clock,
    regions,
    overrides,
    overrideView,
    overrideStore,
    probes: new ScriptedProbes(),
  };
}

export type World = ReturnType<typeof buildWorld>;

/** The value of one series, by its labels. */
export async function series(metrics: Metrics, name: string, labels: Readonly<Record<string, string>>): Promise<number | undefined> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  return metric?.values.find((value) => Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted))?.value;
}

export function manifestRequest(locatorId: string, name = "video"): PlaybackRequest {
  const target = `/${locatorId}/${name}.ism/manifest(format=m3u8-cmaf)`;
  return { kind: "manifest", service: "streaming", locatorId, keyId: null, target };
}
