/** Gives a region what publishes a live event in another: policies and locator under the same names, ids, keys and values. */
import { PaircastError } from "../core/errors.ts";
import { PREDEFINED_POLICY_PREFIX, type StreamingLocator, type StreamingPolicy } from "../core/media.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { ReplicaConflict } from "../replicator/conflict.ts";
import { diffLocator, diffStreamingPolicy, diffUpdatable, type Verdict } from "../replicator/diff.ts";
import { rewriteKeyUrls, type KeyUrlRule } from "../replicator/keyUrls.ts";
import { contentKeyPolicyTree, streamingPolicyTree } from "../replicator/normalise.ts";
import { contentKeyPolicyNames } from "../replicator/references.ts";

export interface CarryOptions {
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  readonly keyUrls: readonly KeyUrlRule[];
  readonly fingerprint: Fingerprint;
}

/** Hexadecimal digits: enough to tell two keys apart. */
const PRINT_LENGTH = 12;

/** The asset must be there. Throws `replica_conflict` where something else has the place; nothing of the target is replaced. */
export function liveCarrier(options: CarryOptions): (from: string, to: string, assetName: string, signal: AbortSignal) => Promise<void> {
  return async (from, to, assetName, signal) => {
    const carry = new Carry(options, accountOf(options, from), accountOf(options, to), signal);
    await carry.run(assetName);
  };
}

function accountOf({ accounts }: CarryOptions, region: string): MediaAccount {
  const account = accounts.get(region);
  if (account !== undefined) return account;
  throw new PaircastError("not_configured", `region ${region} has no media account`);
}

class Carry {
  readonly #options: CarryOptions;
  readonly #source: MediaAccount;
  readonly #target: MediaAccount;
  readonly #signal: AbortSignal;

  constructor(options: CarryOptions, source: MediaAccount, target: MediaAccount, signal: AbortSignal) {
    this.#options = options;
    this.#source = source;
    this.#target = target;
    this.#signal = signal;
  }

  async run(name: string): Promise<void> {
    const locator = this.#known(await this.#source.locator(name, this.#signal), `locator ${name}`);
    const policyName = locator.streamingPolicyName;
    const policy = this.#known(await this.#source.streamingPolicy(policyName, this.#signal), `streaming policy ${policyName}`);
    // Streaming policies name content key policies, and locators both.
    for (const keyPolicy of contentKeyPolicyNames(locator, policy)) await this.#keyPolicy(keyPolicy);
    if (!policyName.startsWith(PREDEFINED_POLICY_PREFIX)) await this.#streamingPolicy(rewriteKeyUrls(policy, this.#options.keyUrls));
    await this.#locator(locator);
  }

  async #keyPolicy(name: string): Promise<void> {
    const there = await this.#target.contentKeyPolicy(name, this.#signal);
    if (there?.secretsHidden === true) return;
    const policy = this.#known(await this.#source.contentKeyPolicy(name, this.#signal), `content key policy ${name}`);
    const target = there === null ? null : contentKeyPolicyTree(there.properties);
    const compared = { what: `content key policy ${name}`, source: contentKeyPolicyTree(policy.properties), target };
    await this.#write(diffUpdatable(compared, null, null), async () => this.#target.putContentKeyPolicy(policy, this.#signal));
  }

  async #streamingPolicy(policy: StreamingPolicy): Promise<void> {
    const there = await this.#target.streamingPolicy(policy.name, this.#signal);
    const verdict = diffStreamingPolicy(
      policy.name,
      streamingPolicyTree(policy.properties),
      there === null ? null : streamingPolicyTree(there.properties),
    );
    await this.#write(verdict, async () => this.#target.createStreamingPolicy(policy, this.#signal));
  }

  async #locator(locator: StreamingLocator): Promise<void> {
    const there = await this.#target.locator(locator.name, this.#signal);
    const others = there === null ? await this.#target.assetLocators(locator.assetName, this.#signal) : [];
    const print = (value: string): string => this.#options.fingerprint(Buffer.from(value, "base64")).slice(0, PRINT_LENGTH);
    const verdict = diffLocator(locator, { locator: there, others }, print);
    await this.#write(verdict, async () => this.#target.createLocator(locator, this.#signal));
  }

  async #write(verdict: Verdict, write: () => Promise<void>): Promise<void> {
    if (verdict.action === "conflict") throw new ReplicaConflict(`${this.#source.region} to ${this.#target.region}`, [verdict.conflict]);
    if (verdict.action === "create") await write();
  }

  #known<T>(found: T | null, what: string): T {
    if (found !== null) return found;
    throw new PaircastError("source_missing", `read ${what} in ${this.#source.region}: there is none (any more)`, { retry: "retry" });
  }
}
