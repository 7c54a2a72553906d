/** Encoding as the admin API asks it: over the records alone, so that any process that shares them can answer. */
import type { Clock, Random } from "../core/clock.ts";
import type { AccountOverride, EncodingInput, EncodingJob, EncodingState, Transform } from "../core/encoding.ts";
import { PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { CatalogueView } from "../core/ports/catalogue.ts";
import type {
  EncodingRequest,
  EncodingService,
  OutputPlayback,
  ShownAccount,
  ShownJob,
  ShownTransform,
} from "../core/ports/encodingService.ts";
import type { EncodingStore, JobFilter } from "../core/ports/encodingStore.ts";
import { newAccount, readmitted } from "./account.ts";
import { EncodingDesk } from "./desk.ts";
import { locatorIdOf } from "./locatorNames.ts";
import type { EncodingPolicy } from "./policy.ts";
import { shownAccount, shownJob } from "./shown.ts";
import { UploadDesk, type UploadDeskOptions } from "./uploadDesk.ts";

export interface RecordsServiceOptions {
  readonly store: EncodingStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: EncodingPolicy;
  readonly transforms: ReadonlyMap<string, Transform>;
  /** Account -> how many jobs it may have at a time. */
  readonly accounts: ReadonlyMap<string, number>;
  /** Regions that can have an input. */
  readonly inputRegions: ReadonlySet<string>;
  readonly overridden: (account: string) => AccountOverride | null;
  /** Null where outputs are not published. */
  readonly catalogue: Pick<CatalogueView, "byLocator"> | null;
  readonly uploads: Omit<UploadDeskOptions, "desk" | "store">;
  readonly log: Log;
}

/** Others write, too; each time one of them wins. */
const ATTEMPTS = 8;

export class RecordsService implements EncodingService {
  readonly #options: RecordsServiceOptions;
  readonly #desk: EncodingDesk;
  readonly #uploads: UploadDesk;

  constructor(options: RecordsServiceOptions) {
    this.#options = options;
    this.#desk = new EncodingDesk({ ...options, policy: options.policy.job });
    this.#uploads = new UploadDesk({ ...options.uploads, desk: this.#desk, store: options.store });
  }

  async submit(request: EncodingRequest): Promise<{ readonly job: ShownJob; readonly created: boolean }> {
    const { transforms, random } = this.#options;
    if (!transforms.has(request.transform))
      throw new PaircastError(
        "transform_unknown",
        `there is no transform ${request.transform}; there are ${[...transforms.keys()].join(", ")}`,
      );
    this.#assertRegion(request.input);
    this.#uploads.assertTakes(request.input);
    const { job, created } = await this.#desk.submit({ ...request, clientId: request.clientId ?? random.uuid() });
    return { job: this.#shown(job), created };
  }

  async upload(id: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ShownJob | null> {
    return this.#shownOrNull(await this.#uploads.receive(id, content, signal));
  }

  async job(id: string): Promise<ShownJob | null> {
    return this.#shownOrNull(await this.#desk.job(id));
  }

  async list(filter: JobFilter): Promise<readonly ShownJob[]> {
    return (await this.#desk.list(filter)).map((job) => this.#shown(job));
  }

  async count(): Promise<Readonly<Record<EncodingState, number>>> {
    return this.#options.store.count();
  }

  async cancel(id: string, by: string): Promise<ShownJob | null> {
    return this.#shownOrNull(await this.#desk.cancel(id, by));
  }

  async retry(id: string, by: string): Promise<ShownJob | null> {
    return this.#shownOrNull(await this.#desk.retry(id, by));
  }

  async accounts(): Promise<readonly ShownAccount[]> {
    const { store, accounts, clock, policy, overridden } = this.#options;
    const [stored, places] = [await store.accounts(), await store.places()];
    const now = clock.now();
    return [...accounts].map(([account, maxInFlight]) => {
      const state = stored.find((each) => each.state.account === account)?.state ?? newAccount(account, now);
      const use = { inFlight: places.get(account) ?? 0, maxInFlight, disabled: overridden(account) !== null };
      return shownAccount(state, use, policy.account, now);
    });
  }

  transforms(): readonly ShownTransform[] {
    return [...this.#options.transforms.values()].map(({ name, description, outputs }) => ({ name, description, outputs: outputs.length }));
  }

  async readmit(account: string, by: string): Promise<boolean> {
    const { store, accounts, clock, log } = this.#options;
    if (!accounts.has(account)) return false;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const stored = (await store.accounts()).find(({ state }) => state.account === account);
      // Of one that nobody has looked at yet nothing is held against.
      if (stored === undefined) return true;
      const next = readmitted(stored.state, by, clock.now());
      if (next === stored.state) return true;
      if ((await store.saveAccount(next, stored.version)) === null) continue;
      log.info("encoding.action", { action: "readmit", account, by });
      return true;
    }
    throw new PaircastError("state_unavailable", `readmit ${account}: others write its state all the time; try again`, { retry: "retry" });
  }

  #assertRegion(input: EncodingInput): void {
    const { inputRegions } = this.#options;
    if (input.kind !== "asset" || inputRegions.has(input.region)) return;
    const names = [...inputRegions].join(", ");
    throw new PaircastError("unknown_region", `no region ${input.region} has a media account; there are ${names}`);
  }

  #shownOrNull(job: EncodingJob | null): ShownJob | null {
    return job === null ? null : this.#shown(job);
  }

  #shown(job: EncodingJob): ShownJob {
    return shownJob(job, this.#playback(job));
  }

  #playback({ id, state, result }: EncodingJob): readonly OutputPlayback[] {
    const { catalogue } = this.#options;
    if (catalogue === null || state !== "finished") return [];
    return (result?.assets ?? []).map((_, output) => {
      const locatorId = locatorIdOf(id, output);
      const { hls = null, dash = null } = catalogue.byLocator(locatorId)?.manifests ?? {};
      return { locatorId, hls, dash };
    });
  }
}
