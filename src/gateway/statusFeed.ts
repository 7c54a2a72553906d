/** Hands what changes to the listeners of `/api/events`. */
import type { CatalogueEntry, RegionCopy } from "../core/contracts.ts";
import type { StatusEvent, StatusEvents } from "./adminEvents.ts";

type States = Readonly<Record<string, RegionCopy["state"]>>;

export class StatusFeed implements StatusEvents {
  readonly #listeners = new Set<(event: StatusEvent) => void>();
  #known = new Map<string, string>();

  subscribe(listener: (event: StatusEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  publish(event: StatusEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Publishes what differs from the catalogue that was seen before. */
  catalogueChanged(entries: readonly CatalogueEntry[], at: number): void {
    const seen = new Map(entries.map((entry) => [entry.locatorId, statesOf(entry)]));
    const texts = new Map([...seen].map(([id, states]) => [id, JSON.stringify(states)]));
    for (const [locatorId, regions] of seen) {
      if (this.#known.get(locatorId) !== texts.get(locatorId)) this.publish({ type: "catalogue", locatorId, regions, at });
    }
    for (const locatorId of this.#known.keys()) {
      if (!seen.has(locatorId)) this.publish({ type: "catalogue", locatorId, regions: {}, at });
    }
    this.#known = texts;
  }
}

function statesOf(entry: CatalogueEntry): States {
  return Object.fromEntries(Object.entries(entry.regions).map(([region, copy]) => [region, copy.state]));
}
