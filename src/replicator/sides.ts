/** The two accounts of one job, as it uses them: access to containers is asked for once, and what assets have in common is read with other jobs. */
import type { Region } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import type { MediaAsset } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { CommonReads, type SharedReads } from "./commonReads.ts";
import type { ContainerPair } from "./copy.ts";
import type { JobDeps } from "./jobDeps.ts";
import type { JobContext } from "./runJob.ts";
import { manifestPaths } from "./verify.ts";
import type { Manifests } from "./serving.ts";

export interface SidesDeps extends Pick<JobDeps, "regions"> {
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  /** Of the jobs of this process; left out: each reads everything itself. */
  readonly shared?: SharedReads;
}

export class Sides {
  readonly #deps: SidesDeps;
  readonly #context: JobContext;
  readonly #since: number | undefined;
  #containers: (ContainerPair & { readonly of: string }) | null = null;

  /** `since` as in `CommonReadsOptions`. */
  constructor(deps: SidesDeps, context: JobContext, since: number | undefined) {
    this.#deps = deps;
    this.#context = context;
    this.#since = since;
  }

  /** For people. */
  get place(): string {
    const { source, target, assetName } = this.#context.identity;
    return `${assetName} from ${source} to ${target}`;
  }

  get source(): MediaAccount {
    return this.account(this.#context.identity.source);
  }

  get target(): MediaAccount {
    return this.account(this.#context.identity.target);
  }

  get isOriginal(): boolean {
    return this.#context.identity.source === this.#context.identity.target;
  }

  /** What the assets of an account have in common. */
  common(account: MediaAccount): CommonReads {
    const { shared } = this.#deps;
    return new CommonReads({ account, signal: this.#context.signal, shared, ...(this.#since === undefined ? {} : { since: this.#since }) });
  }

  containers(from: MediaAsset, to: MediaAsset): ContainerPair {
    if (this.#containers?.of !== to.container)
      this.#containers = { source: this.source.container(from, "read"), target: this.target.container(to, "write"), of: to.container };
    return this.#containers;
  }

  /** As the source has them, and as the region has them. */
  async paths(
    locatorName: string,
    region: string,
    signal: AbortSignal,
  ): Promise<{ readonly expected: Manifests; readonly here: Manifests }> {
    const of = async (account: MediaAccount) => manifestPaths(await account.paths(locatorName, signal));
    const expected = await of(this.source);
    return { expected, here: region === this.#context.identity.source ? expected : await of(this.account(region)) };
  }

  account(region: string): MediaAccount {
    const account = this.#deps.accounts.get(region);
    if (account !== undefined) return account;
    throw new PaircastError("not_configured", `replicate ${this.place}: region ${region} has no media account`);
  }

  region(name: string): Region {
    const region = this.#deps.regions.get(name);
    if (region !== undefined) return region;
    throw new PaircastError("not_configured", `replicate ${this.place}: there is no region ${name}`);
  }
}
