/** Regions as a test states them, and the question of who may serve. */
import type {
  FailureReason,
  HealthStatus,
  Holding,
  Override,
  OverrideKind,
  OverrideService,
  ServiceHealth,
} from "../../src/core/contracts.ts";
import { decide, type Question } from "../../src/gateway/decide.ts";
import { serviceHealth } from "./world.ts";

export interface Place {
  readonly name: string;
  readonly has?: boolean;
  readonly streaming?: HealthStatus | ServiceHealth;
  /** Null: the region has no key delivery. */
  readonly keys?: HealthStatus | ServiceHealth | null;
  readonly holding?: Holding;
  readonly overrides?: readonly (readonly [OverrideKind, OverrideService, "forced"?])[];
  readonly tried?: boolean;
}

function health(of: HealthStatus | ServiceHealth): ServiceHealth {
  return typeof of === "string" ? serviceHealth(of, of === "unhealthy" ? "timeout" : null) : of;
}

export function ill(reason: FailureReason): ServiceHealth {
  return serviceHealth("unhealthy", reason);
}

function override(kind: OverrideKind, region: string, service: OverrideService, forced?: "forced"): Override {
  const id = `${kind}-${region}-${service}`;
  const common = { id, kind, region, service, reason: "for the test", by: "test", createdAt: 1, expiresAt: 2 };
  return forced === undefined ? common : { ...common, forced: true };
}

export function question(places: readonly Place[], asked: Partial<Question> = {}): Question {
  return {
    service: "streaming",
    candidates: places.map(({ name, has = true }) => ({ region: name, base: has ? `https://${name}.example` : null })),
    holdings: Object.fromEntries(places.map(({ name, holding = "verified" }) => [name, holding])),
    health: {
      takenAt: 1,
      regions: Object.fromEntries(
        places.map(({ name, streaming = "healthy", keys = "healthy" }) => [
          name,
          { streaming: health(streaming), ...(keys === null ? {} : { keys: health(keys) }) },
        ]),
      ),
    },
    overrides: places.flatMap(({ name, overrides = [] }) =>
      overrides.map(([kind, service, forced]) => override(kind, name, service, forced)),
    ),
    tried: new Set(places.filter(({ tried = false }) => tried).map(({ name }) => name)),
    whenNoneEligible: "open",
    ...asked,
  };
}

export function verdicts(asked: Question): string[] {
  return decide(asked).considered.map(({ region, eligible, verdict }) => `${region} ${verdict}${eligible ? " +" : ""}`);
}
