/** Videos for the health probes, from the catalogue: verified in the region, with a key request that the key delivery must answer. */
import type { Clock } from "../core/clock.ts";
import type { Canary, CanaryKey, CatalogueEntry } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { CatalogueView } from "../core/ports/catalogue.ts";
import type { CanarySource } from "../core/ports/health.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { keyAccess } from "./keyAccess.ts";
import { isPredefined, keyPath } from "./references.ts";
import { mintToken } from "./tokens.ts";

const REFRESH_MS = 30_000;
const TOKEN_LIFE_MS = 60 * 60_000;
const TOKEN_RENEWED_BEFORE_MS = 10 * 60_000;
/** For all that one canary asks of an account: probes wait for the first one. */
const ACCOUNT_MS = 10_000;

export interface CanaryOptions {
  readonly view: CatalogueView;
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  readonly clock: Clock;
  readonly log: Log;
  /** Prefix of the gateway's key URLs, which custom key-server templates contain. */
  readonly keyPrefix: string;
}

interface Remembered {
  readonly canary: Canary;
  readonly entry: CatalogueEntry;
  /** When its token ends; Infinity where it has none. */
  readonly expiresAt: number;
}

interface Slot {
  remembered: Remembered | null;
  checkedAt: number;
  refreshing: Promise<void> | null;
}

/** Tokens are kept in memory only. An account that does not answer leaves the last good canary in use. */
export class CatalogueCanaries implements CanarySource {
  readonly #options: CanaryOptions;
  readonly #slots = new Map<string, Slot>();

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Waits only where there is none that may be used; a newer one is prepared behind the caller's back. */
  async canary(region: string): Promise<Canary | null> {
    const slot = this.#slot(region);
    if (slot.remembered !== null && !this.#isVerified(slot.remembered.entry, region)) slot.remembered = null;
    const due = this.#options.clock.monotonic() - slot.checkedAt >= REFRESH_MS;
    if (due || (slot.remembered === null && this.#choose(region) !== null)) {
      slot.refreshing ??= this.#refresh(region, slot).finally(() => {
        slot.refreshing = null;
      });
      if (slot.remembered === null) await slot.refreshing;
    }
    return slot.remembered === null ? null : usable(slot.remembered, this.#options.clock.now());
  }

  #isVerified({ locatorId }: CatalogueEntry, region: string): boolean {
    return this.#options.view.byLocator(locatorId)?.regions[region]?.state === "verified";
  }

  #slot(region: string): Slot {
    const known = this.#slots.get(region);
    if (known !== undefined) return known;
    const slot: Slot = { remembered: null, checkedAt: -Infinity, refreshing: null };
    this.#slots.set(region, slot);
    return slot;
  }

  /** The one published last; protected ones first, because they prove both services. */
  #choose(region: string): CatalogueEntry | null {
    const verified = this.#options.view.entries().filter((entry) => entry.regions[region]?.state === "verified");
    const rank = (entry: CatalogueEntry): number => (entry.keys.length > 0 ? 1 : 0);
    return verified.toSorted((one, other) => rank(other) - rank(one) || other.publishedAt - one.publishedAt)[0] ?? null;
  }

  async #refresh(region: string, slot: Slot): Promise<void> {
    const { clock, log } = this.#options;
    slot.checkedAt = clock.monotonic();
    const entry = this.#choose(region);
    if (entry === null) {
      slot.remembered = null;
      return;
    }
    if (
      slot.remembered !== null &&
      sameVideo(slot.remembered.entry, entry) &&
      slot.remembered.expiresAt - clock.now() > TOKEN_RENEWED_BEFORE_MS
    )
      return;
    try {
      slot.remembered = await this.#make(region, entry);
    } catch (error) {
      log.warn("canary.account_unreachable", { region, code: errorCode(error), error: errorChain(error) });
      slot.remembered ??= { canary: clear(entry), entry, expiresAt: -Infinity };
    }
  }

  async #make(region: string, entry: CatalogueEntry): Promise<Remembered> {
    const { clock } = this.#options;
    const expiresAt = clock.now() + TOKEN_LIFE_MS;
    const key = await this.#key(region, entry);
    return { canary: { ...clear(entry), key }, entry, expiresAt: key?.authorization == null ? Infinity : expiresAt };
  }

  /** From the source's account, or the region's own while the source's does not answer: their policies were verified equal. */
  async #key(region: string, entry: CatalogueEntry): Promise<CanaryKey | null> {
    const accounts = [entry.source, region].flatMap((name) => this.#options.accounts.get(name) ?? []);
    const [first, ...others] = new Set(accounts);
    if (first === undefined) return null;
    let made = this.#keyFrom(first, entry);
    for (const other of others) made = made.catch(() => this.#keyFrom(other, entry));
    return made;
  }

  async #keyFrom(account: MediaAccount, entry: CatalogueEntry): Promise<CanaryKey | null> {
    const { clock } = this.#options;
    const [key] = entry.keys;
    if (key === undefined || entry.contentKeyPolicyName === null) return null;
    using deadline = clock.deadline(ACCOUNT_MS);
    const policy = await account.contentKeyPolicy(entry.contentKeyPolicyName, deadline.signal);
    const access = policy === null ? null : keyAccess(policy.properties, key.id);
    if (access === null || access.kind === "none") return null;
    return {
      id: key.id,
      path: await this.#keyPath(account, entry, key.id, deadline.signal),
      fingerprint: key.fingerprint,
      authorization: access.kind === "token" ? `Bearer ${await mintToken(access.token, clock.now(), TOKEN_LIFE_MS)}` : null,
      tokenUnavailable: access.kind === "closed",
    };
  }

  async #keyPath(account: MediaAccount, entry: CatalogueEntry, id: string, signal: AbortSignal): Promise<string> {
    const { keyPrefix } = this.#options;
    const { streamingPolicyName: name, locatorName } = entry;
    const policy = name === null || isPredefined(name) ? null : await account.streamingPolicy(name, signal);
    const locator = policy === null ? null : await account.locator(locatorName, signal);
    return keyPath(policy, { id, alternativeMediaId: locator?.alternativeMediaId ?? null }, keyPrefix);
  }
}

function clear(entry: CatalogueEntry): Canary {
  return { locatorId: entry.locatorId, manifestPath: entry.manifests.hls ?? entry.manifests.dash, key: null };
}

/** A token that has run out would look like an ill key delivery; without one, 401 says that it answers. */
function usable({ canary, expiresAt }: Remembered, now: number): Canary {
  if (canary.key === null || canary.key.authorization === null || expiresAt > now) return canary;
  return { ...canary, key: { ...canary.key, authorization: null, tokenUnavailable: true } };
}

function sameVideo(one: CatalogueEntry, other: CatalogueEntry): boolean {
  const text = ({ regions: _regions, ...video }: CatalogueEntry): string => JSON.stringify(video);
  return text(one) === text(other);
}
