/** Sets and lifts overrides: judged by the rules against what is stored at that moment, and in force here when the call returns. */
import type { Clock, Random } from "../../core/clock.ts";
import type { Override, Region } from "../../core/contracts.ts";
import { errorCode, PaircastError } from "../../core/errors.ts";
import type { EncodingService } from "../../core/ports/encodingService.ts";
import type { HealthView } from "../../core/ports/health.ts";
import type { OverrideEvent, OverrideStore } from "../../core/ports/overrides.ts";
import type { CachedOverrideView } from "./overrideView.ts";
import { judgeOverride, type OverrideRequest, type OverrideSituation } from "./rules.ts";

/** Operators who write at the same moment; more than this is a script gone wild. */
const ATTEMPTS = 5;

export interface OverrideControlDeps {
  readonly store: OverrideStore;
  readonly view: CachedOverrideView;
  readonly regions: readonly Region[];
  readonly health: HealthView;
  /** Null: nothing is encoded. */
  readonly encoding?: Pick<EncodingService, "accounts"> | null;
  readonly clock: Clock;
  readonly random: Random;
}

export class OverrideControl {
  readonly #deps: OverrideControlDeps;

  constructor(deps: OverrideControlDeps) {
    this.#deps = deps;
  }

  active(): readonly Override[] {
    return this.#deps.view.active();
  }

  /** Newest first. */
  async audit(limit: number): Promise<readonly OverrideEvent[]> {
    return this.#deps.store.audit(limit);
  }

  /**
   * Throws a `PaircastError` whose code is one of `OVERRIDE_REFUSALS`, or `overrides_conflict` where others write all the time.
   * Two operators who drain one region each at the same moment do not both find the other region eligible: the second is judged again.
   */
  async set(request: OverrideRequest): Promise<Override> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#setOnce(request);
      } catch (error) {
        if (errorCode(error) !== "overrides_conflict" || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** What was lifted; null where no override with this id is in force. */
  async lift(id: string, by: string): Promise<Override | null> {
    const { store, view, clock } = this.#deps;
    const lifted = await store.lift(id, by, clock.now());
    await view.refresh();
    return lifted;
  }

  /** An operator is not kept from a word on a region because encoding's records cannot be read; for one on viewers they are not asked. */
  async #encoders({ service }: OverrideRequest): Promise<Pick<OverrideSituation, "encoders">> {
    const { encoding = null } = this.#deps;
    if (service !== "encoding" && service !== "all") return {};
    if (encoding === null) return { encoders: [] };
    try {
      return { encoders: (await encoding.accounts()).map(({ account, status }) => ({ region: account, works: status !== "out" })) };
    } catch {
      return {};
    }
  }

  async #setOnce(request: OverrideRequest): Promise<Override> {
    const { store, view, regions, health, clock, random } = this.#deps;
    const now = clock.now();
    const revision = await store.revision();
    const active = await store.active(now);
    const ruling = judgeOverride(request, { regions, active, health: health.snapshot(), now, ...(await this.#encoders(request)) });
    if (!ruling.allowed) throw new PaircastError(ruling.refusal.code, ruling.refusal.message);
    const override = { id: random.uuid(), ...ruling.override };
    await store.set(override, revision);
    await view.refresh();
    return override;
  }
}
