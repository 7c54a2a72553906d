/** Makes, starts, stops and removes pairs of live events, one in each region. All of it may be done again: what is there already stays. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import { eventOf, isLive, liveName, type LiveManifests, type LiveState } from "../../core/live.ts";
import type { LiveEvent } from "../../core/ports/liveAccount.ts";
import { CreatePair } from "./createPair.ts";
import type { LivePairsOptions, LiveRegion } from "./deps.ts";
import { inEach, succeeded, type Failure, type RegionResult } from "./inEach.ts";
import { outOfService, STOPPED } from "./liveEntry.ts";
import { lookAtRegion } from "./look.ts";
import { guidFrom, type LivePairSpec, type Looks, type RegionLook } from "./pairing.ts";
import { removePair, type RemoveOptions } from "./removePair.ts";

export interface PairInRegion {
  readonly region: string;
  /** What was made or changed just now, for people: `live event show`. */
  readonly changed: readonly string[];
  readonly failure: Failure | null;
  /** As it is now; null where there is none, or it could not be asked for. */
  readonly event: LiveEvent | null;
  /** What the catalogue says of the region's copy. */
  readonly copy: CatalogueEntry["regions"][string] | null;
}

/** Addresses of `event`s are secrets. */
export interface PairReport {
  readonly name: string;
  /** Null where nothing of it is catalogued. */
  readonly locatorId: string | null;
  readonly manifests: LiveManifests;
  readonly regions: readonly PairInRegion[];
}

export interface ListedPair {
  readonly name: string;
  readonly locatorId: string | null;
  /** Region -> state of its event; null where it has none. A region that could not be asked is left out. */
  readonly states: Readonly<Record<string, LiveState | null>>;
}

export class LivePairs {
  readonly #options: LivePairsOptions;

  constructor(options: LivePairsOptions) {
    this.#options = options;
  }

  /** In the named regions. What fails in one keeps nothing from the others. */
  async create(spec: LivePairSpec, regions: readonly string[], stop: AbortSignal): Promise<PairReport> {
    const entry = await this.#entryOf(spec.name);
    const results = await new CreatePair(this.#options, spec, regions, this.#locatorId(spec.name), stop).run(entry);
    return this.#report(spec.name, results, stop);
  }

  /** Throws `live_unknown` where no region has the event. */
  async start(name: string, stop: AbortSignal): Promise<PairReport> {
    return this.#change(name, stop, async ({ live }, event, signal) => {
      if (event.state === "running") return [];
      await live.start(name, signal);
      return [`live event ${name} started`];
    });
  }

  /** The regions that have stopped it serve it no more. Throws `live_unknown`. */
  async stop(name: string, stop: AbortSignal): Promise<PairReport> {
    const { change, clock } = this.#options;
    const entry = await this.#entryOf(name);
    const report = await this.#change(name, stop, async ({ live }, event, signal) => {
      if (event.state === "stopped") return [];
      await live.stop(name, signal);
      return [`live event ${name} stopped`];
    });
    const stopped = report.regions.filter(({ failure }) => failure === null).map(({ region }) => region);
    if (entry !== null)
      await change(entry.locatorId, (stored) => (stored === null ? null : outOfService(stored, stopped, clock.now(), STOPPED)));
    return report;
  }

  /** Throws `live_unknown` where no region has anything of it, and the catalogue neither. */
  async status(name: string, stop: AbortSignal): Promise<PairReport> {
    const results = await this.#looks(name, stop);
    await this.#refuseUnknown(name, results);
    return this.#report(name, results, stop);
  }

  async list(stop: AbortSignal): Promise<{ readonly pairs: readonly ListedPair[]; readonly failures: readonly Failure[] }> {
    const events = await inEach(this.#options, [...this.#options.regions.keys()], "lookMs", stop, async ({ live }, signal) => {
      const found = await Array.fromAsync(live.events(signal));
      return found.filter(({ isOurs }) => isOurs);
    });
    const entries = await this.#entries();
    const asked = succeeded(events);
    const names = new Map<string, string>([...entries.keys()].map((name) => [name.toLowerCase(), name]));
    for (const { name } of [...asked.values()].flat()) names.set(name.toLowerCase(), name);
    const pairs = [...names]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, name]): ListedPair => {
        const state = (found: readonly LiveEvent[]) => found.find((event) => event.name.toLowerCase() === key)?.state ?? null;
        const states = Object.fromEntries([...asked].map(([region, found]) => [region, state(found)]));
        return { name, locatorId: entries.get(name)?.locatorId ?? null, states };
      });
    return { pairs, failures: events.flatMap(({ failure }) => failure ?? []) };
  }

  /** Throws `live_running` where an event runs and that is not to be ended; nothing is removed then. What is not there is well. */
  async remove(name: string, options: RemoveOptions, stop: AbortSignal): Promise<PairReport> {
    const entry = await this.#entryOf(name);
    const looks = await this.#looks(name, stop);
    const results = await removePair(this.#options, { name, entry, looks, options }, stop);
    return this.#report(name, results, stop);
  }

  async #change(
    name: string,
    stop: AbortSignal,
    act: (region: LiveRegion, event: LiveEvent, signal: AbortSignal) => Promise<readonly string[]>,
  ): Promise<PairReport> {
    const looks = await this.#looks(name, stop);
    await this.#refuseUnknown(name, looks);
    const having = [...succeeded(looks)].flatMap(([region, { event }]) => (event === null ? [] : [[region, event] as const]));
    const events = new Map(having);
    const results = await inEach(this.#options, [...events.keys()], "changeMs", stop, async (region, signal) => {
      const event = events.get(region.live.region);
      return event === undefined ? [] : act(region, event, signal);
    });
    const unasked = looks.filter(({ failure }) => failure !== null).map(({ region, failure }) => ({ region, value: null, failure }));
    return this.#report(name, [...results, ...unasked], stop);
  }

  async #looks(name: string, stop: AbortSignal): Promise<readonly RegionResult<RegionLook>[]> {
    return inEach(this.#options, [...this.#options.regions.keys()], "lookMs", stop, async (region, signal) =>
      lookAtRegion(region, name, signal),
    );
  }

  async #refuseUnknown(name: string, results: readonly RegionResult<RegionLook>[]): Promise<void> {
    const looks: Looks = succeeded(results);
    if ([...looks.values()].some(({ event, locator }) => event !== null || locator !== null)) return;
    if (looks.size < results.length || (await this.#entryOf(name)) !== null) return;
    throw new PaircastError(
      "live_unknown",
      `there is no live event ${name} in ${[...looks.keys()].join(" or ")}: see \`paircast live list\``,
    );
  }

  /** Asks for the events once more: they have changed. */
  async #report(name: string, results: readonly RegionResult<unknown>[], stop: AbortSignal): Promise<PairReport> {
    const entry = await this.#entryOf(name);
    const asked = results.filter(({ failure }) => failure?.code !== "account_unreachable").map(({ region }) => region);
    const events = succeeded(await inEach(this.#options, asked, "lookMs", stop, async ({ live }, signal) => live.event(name, signal)));
    const order = [...this.#options.regions.keys()];
    const regions = results
      .toSorted((one, other) => order.indexOf(one.region) - order.indexOf(other.region))
      .map(({ region, value, failure }): PairInRegion => {
        const changed = Array.isArray(value) ? value.map(String) : [];
        return { region, changed, failure, event: events.get(region) ?? null, copy: entry?.regions[region] ?? null };
      });
    return { name, locatorId: entry?.locatorId ?? null, manifests: entry?.manifests ?? { hls: null, dash: null }, regions };
  }

  /** The id follows from the name, so that no list has to be read; one that was made with another state is found by its name. */
  async #entryOf(name: string): Promise<CatalogueEntry | null> {
    const stored = await this.#options.catalogue.get(this.#locatorId(name));
    if (stored !== null && isLive(stored.entry)) return stored.entry;
    for (const [event, entry] of await this.#entries()) if (event.toLowerCase() === name.toLowerCase()) return entry;
    return null;
  }

  async #entries(): Promise<ReadonlyMap<string, CatalogueEntry>> {
    const entries = new Map<string, CatalogueEntry>();
    for await (const { entry } of this.#options.catalogue.list()) if (isLive(entry)) entries.set(eventOf(entry), entry);
    return entries;
  }

  /** Nobody can tell the id from the name who does not have the catalogue's own key. */
  #locatorId(name: string): string {
    return guidFrom(this.#options.fingerprint(new TextEncoder().encode(`locator of ${liveName(name).toLowerCase()}`)));
  }
}
