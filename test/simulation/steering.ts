/** How players ask the steering server: when for the first time, how patiently, and what a failure makes of it. */
import type { Clock } from "../../src/core/clock.ts";
import type { Driver } from "./driver.ts";
import type { Patience } from "./faults.ts";
import type { Network } from "./network.ts";
import type { SteeringTag } from "./presentation.ts";

export interface SteeringRules {
  /** Reads a steering manifest that stands in the tag itself (`data:`). */
  readonly readsInline: boolean;
  /** Waits for the first answer before it plays: always, never, or where the MPD says `queryBeforeStart`. */
  readonly waits: "always" | "never" | "as the MPD says";
  /** Asks at once although the tag had a manifest in it. */
  readonly asksAtOnce: boolean;
  readonly attempts: number;
  readonly retryMs: number;
  readonly patience: Patience;
  /** When the first request fails: again after the default TTL, never again, or again and again without a pause. */
  readonly whenFirstFails: "later" | "never" | "at once";
  /** Name of the parameter for the pathway; its value stands in quotes or not. */
  readonly parameter: "_HLS_pathway" | "_DASH_pathway";
  readonly quotes: boolean;
}

interface SteeringManifest {
  readonly TTL: number;
  readonly "RELOAD-URI"?: string;
  readonly "PATHWAY-PRIORITY": readonly string[];
}

/** Where no manifest has said another TTL (draft-pantos-content-steering §7). */
const DEFAULT_TTL_MS = 300_000;
/** What a request that fails takes at least: the measured 140 requests a second. */
const STORM_MS = 7;

export interface SteeringParts {
  readonly rules: SteeringRules;
  readonly tag: SteeringTag;
  readonly base: string;
  readonly driver: Driver;
  readonly network: Network;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export class Steering {
  readonly #parts: SteeringParts;
  #uri: string;
  #ttlMs: number | null = null;

  constructor(parts: SteeringParts) {
    this.#parts = parts;
    this.#uri = new URL(parts.tag.serverUri, parts.base).href;
  }

  /** Resolves when the player may begin. */
  async begin(): Promise<void> {
    const { rules, tag } = this.#parts;
    if (tag.serverUri.startsWith("data:")) {
      if (rules.readsInline) this.#apply(inline(tag.serverUri));
      else this.#uri = "";
      return;
    }
    if (rules.waits === "always" || (rules.waits === "as the MPD says" && tag.queryBeforeStart)) await this.#ask();
  }

  /** Asks as long as the player plays. */
  async follow(): Promise<void> {
    const { rules, clock, signal } = this.#parts;
    if (this.#uri === "" || this.#uri.startsWith("data:")) return;
    const asked = this.#ttlMs !== null;
    if (!asked || rules.asksAtOnce) await this.#ask();
    while (this.#ttlMs !== null || rules.whenFirstFails !== "never") {
      await clock.sleep(this.#ttlMs ?? (rules.whenFirstFails === "at once" ? STORM_MS : DEFAULT_TTL_MS), signal);
      await this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const { rules, network, clock, signal } = this.#parts;
    for (let attempt = 0; attempt < rules.attempts; attempt += 1) {
      if (attempt > 0) await clock.sleep(rules.retryMs, signal);
      const transfer = await network.get(this.#asked(), rules.patience, signal);
      if (!transfer.ok) continue;
      this.#apply(manifestOf(transfer.text));
      return;
    }
  }

  #asked(): string {
    const { rules, driver } = this.#parts;
    const url = new URL(this.#uri);
    url.searchParams.set(rules.parameter, rules.quotes ? `"${driver.pathway}"` : driver.pathway);
    return url.href;
  }

  #apply(manifest: SteeringManifest): void {
    const { driver, base } = this.#parts;
    this.#ttlMs = manifest.TTL * 1000;
    if (manifest["RELOAD-URI"] !== undefined) this.#uri = new URL(manifest["RELOAD-URI"], base).href;
    driver.steer(manifest["PATHWAY-PRIORITY"], manifest.TTL);
  }
}

/** VHS decodes base64 and nothing else, so the model does, too. */
function inline(uri: string): SteeringManifest {
  return manifestOf(Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64").toString("utf8"));
}

function manifestOf(text: string): SteeringManifest {
  return JSON.parse(text) as SteeringManifest;
}
