/** What the process that probes and its workers tell one another. Structured clones: Infinity and NaN survive. */
import type { MetricObjectWithValues, MetricValue } from "prom-client";
import type { Config } from "../../core/config/schema.ts";
import type { HealthSnapshot, Outcome, Service, ServiceHealth } from "../../core/contracts.ts";

export type MetricsDump = MetricObjectWithValues<MetricValue<string>>[];

/** News of one service. */
export interface ServiceNews {
  readonly region: string;
  readonly service: Service;
  readonly health: ServiceHealth;
}

export type ToWorker =
  | { readonly type: "start"; readonly config: Config; readonly snapshot: HealthSnapshot; readonly ready: boolean }
  | { readonly type: "reload"; readonly id: number; readonly config: Config; readonly snapshot: HealthSnapshot }
  | { readonly type: "health"; readonly takenAt: number; readonly news: readonly ServiceNews[] }
  /** Every first probe has answered or timed out. */
  | { readonly type: "ready" }
  | { readonly type: "metrics"; readonly id: number }
  | { readonly type: "stop" };

export type FromWorker =
  /** It listens. */
  | { readonly type: "started"; readonly url: string }
  | { readonly type: "reloaded"; readonly id: number; readonly url: string }
  | { readonly type: "refused"; readonly id: number; readonly message: string }
  | {
      readonly type: "observed";
      readonly region: string;
      readonly service: Service;
      readonly outcome: Outcome;
      readonly viewer: string | undefined;
    }
  | { readonly type: "metrics"; readonly id: number; readonly metrics: MetricsDump };
