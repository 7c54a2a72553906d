/** The metrics of live events that are paired over regions. All 0 where there are none. */
import { Gauge, type Registry } from "prom-client";

const COPY_STATES = ["on_air", "off_air", "unknown"] as const;
type CopyState = (typeof COPY_STATES)[number];

/** `one_region`: it plays, and the reserve is gone. */
const EVENT_STATES = ["several_regions", "one_region", "off_air", "unknown"] as const;
type EventState = (typeof EVENT_STATES)[number];

/** Region -> whether an event's copy there is on air; null: not known yet. */
export type OnAirByRegion = ReadonlyMap<string, boolean | null>;

export class LiveMetrics {
  readonly #copies: Gauge<"origin" | "state">;
  readonly #events: Gauge<"state">;
  readonly #origins = new Set<string>();

  constructor(registry: Registry) {
    // Where several processes count for one, the one that watches comes first.
    const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Gauge({ name: `paircast_live_${name}`, help, labelNames, registers: [registry], aggregator: "first" });
    this.#copies = gauge("copies", "Copies of live events in a region, by whether they are on air.", ["origin", "state"]);
    this.#events = gauge("events", "Live events, by where they are on air.", ["state"]);
    this.standing([]);
  }

  /** Of all events that are watched, as of the last look. */
  standing(events: readonly OnAirByRegion[]): void {
    for (const state of EVENT_STATES) this.#events.set({ state }, 0);
    for (const origin of this.#origins) this.#clear(origin);
    for (const copies of events) {
      this.#events.inc({ state: eventState([...copies.values()].map(copyState)) });
      for (const [origin, onAir] of copies) if (this.#origins.has(origin)) this.#copies.inc({ origin, state: copyState(onAir) });
    }
  }

  addOrigin(origin: string): void {
    this.#origins.add(origin);
    this.#clear(origin);
  }

  removeOrigin(origin: string): void {
    this.#origins.delete(origin);
    for (const state of COPY_STATES) this.#copies.remove({ origin, state });
  }

  #clear(origin: string): void {
    for (const state of COPY_STATES) this.#copies.set({ origin, state }, 0);
  }
}

function copyState(onAir: boolean | null): CopyState {
  if (onAir === null) return "unknown";
  return onAir ? "on_air" : "off_air";
}

/** What is not known yet may be the second region: nobody is to be alarmed for it. */
function eventState(copies: readonly CopyState[]): EventState {
  const onAir = copies.filter((state) => state === "on_air").length;
  if (onAir > 1) return "several_regions";
  if (copies.includes("unknown")) return "unknown";
  return onAir === 1 ? "one_region" : "off_air";
}
