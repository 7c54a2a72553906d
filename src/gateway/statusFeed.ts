/** Hands what changes to the listeners of `/api/events`. */
import type { CatalogueEntry, RegionCopy } from "../core/contracts.ts";
import type { StatusEvent, StatusEvents } from "./adminEvents.ts";

type States = Readonly<Record<string, RegionCopy["state"]>>;

export class StatusFeed implements StatusEvents {
  readonly #listeners = new Set<(event: StatusEvent) => void>();
  readonly #known = new Map<string, string>();

  subscribe(listener: (event: StatusEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  publish(event: StatusEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Publishes what differs from what was seen before. Locator ids in lower case; null for an entry that is gone. */
  catalogueChanged(changed: ReadonlyMap<string, CatalogueEntry | null>, at: number): void {
    for (const [id, entry] of changed) {
      const regions = entry === null ? {} : statesOf(entry);
      const text = entry === null ? undefined : JSON.stringify(regions);
      if (this.#known.get(id) === text) continue;
      if (text === undefined) this.#known.delete(id);
      else this.#known.set(id, text);
      this.publish({ type: "catalogue", locatorId: entry?.locatorId ?? id, regions, at });
    }
  }
}

function statesOf(entry: CatalogueEntry): States {
  return Object.fromEntries(Object.entries(entry.regions).map(([region, copy]) => [region, copy.state]));
}
