/** Publishes outputs where they were made, hands them to the replicator, and tells who listens outside. All of it may be done again without harm. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import type { EncodingMessage } from "../core/encoding.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import { scrub, type Log } from "../core/log.ts";
import type { EncodingPublisher } from "../core/ports/encodingPublisher.ts";
import type { OutputPlayback } from "../core/ports/encodingService.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { locatorIdOf, locatorNameOf } from "./locatorNames.ts";
import type { EncodingNotice } from "./notice.ts";

export type { EncodingNotice } from "./notice.ts";

export interface PublicationPolicy {
  readonly streamingPolicyName: string;
  readonly contentKeyPolicyName: string | null;
}

export interface OutputPublisherOptions {
  /** Region -> its media account. */
  readonly regions: ReadonlyMap<string, MediaAccount>;
  /** Null: outputs stay unpublished. */
  readonly policy: PublicationPolicy | null;
  /** Sees to it that the replicator looks at the asset; resolves when that is sure. */
  readonly look: (region: string, assetName: string) => Promise<void>;
  /** Null: nobody listens. Rejects where it is not known whether the notice was taken. */
  readonly tell: ((notice: EncodingNotice, signal: AbortSignal) => Promise<void>) | null;
  /** Called once for each message that was handed on. */
  readonly onTold: (message: EncodingMessage) => void;
  /** Before the paths of manifests; empty where it is not known. */
  readonly playbackBase: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Messages that this process has handed on; the same may come again days later, and to another process. */
const REMEMBERED = 20_000;

export class OutputPublisher implements EncodingPublisher {
  readonly #options: OutputPublisherOptions;
  readonly #taken = new LRUCache<string, true>({ max: REMEMBERED });

  constructor(options: OutputPublisherOptions) {
    this.#options = options;
  }

  async publish(message: EncodingMessage, signal: AbortSignal): Promise<void> {
    if (this.#taken.has(message.id)) return;
    const { policy, tell } = this.#options;
    const playback = message.kind === "finished" && policy !== null ? await this.#published(message, policy, signal) : [];
    const detail = scrub(message.detail);
    await tell?.({ ...message, detail, playback }, signal);
    this.#taken.set(message.id, true);
    this.#options.onTold(message);
    this.#logged({ ...message, detail });
  }

  async #published(message: EncodingMessage, policy: PublicationPolicy, signal: AbortSignal): Promise<readonly OutputPlayback[]> {
    const { jobId, account: region, assets } = message;
    const account = region === null ? undefined : this.#options.regions.get(region);
    if (account === undefined)
      throw new PaircastError(
        "account_missing",
        `publish job ${jobId}: ${region ?? "its region"} is not configured any more, and has the output`,
      );
    const playback: OutputPlayback[] = [];
    for (const [output, assetName] of assets.entries()) {
      await this.#locate(account, { jobId, output, assetName }, policy, signal);
      await this.#options.look(account.region, assetName);
      playback.push(await this.#playback(account, jobId, output, signal));
    }
    return playback;
  }

  async #locate(
    account: MediaAccount,
    { jobId, output, assetName }: { readonly jobId: string; readonly output: number; readonly assetName: string },
    { streamingPolicyName, contentKeyPolicyName }: PublicationPolicy,
    signal: AbortSignal,
  ): Promise<void> {
    const name = locatorNameOf(jobId, output);
    const unset = { alternativeMediaId: null, startTime: null, endTime: null, filters: [], contentKeys: [] };
    const policies = { streamingPolicyName, defaultContentKeyPolicyName: contentKeyPolicyName };
    const own = { name, assetName, streamingLocatorId: locatorIdOf(jobId, output), created: this.#options.clock.now() };
    try {
      await account.createLocator({ ...own, ...policies, ...unset }, signal);
    } catch (error) {
      const present = errorCode(error) === "media_exists" ? await account.locator(name, signal) : null;
      if (present?.assetName !== assetName) throw error;
    }
  }

  async #playback(account: MediaAccount, jobId: string, output: number, signal: AbortSignal): Promise<OutputPlayback> {
    const paths = await account.paths(locatorNameOf(jobId, output), signal);
    const url = (protocol: "Hls" | "Dash"): string | null => {
      const path = paths.find(({ streamingProtocol }) => streamingProtocol === protocol)?.paths[0];
      return path === undefined ? null : `${this.#options.playbackBase}${path}`;
    };
    return { locatorId: locatorIdOf(jobId, output), hls: url("Hls"), dash: url("Dash") };
  }

  #logged({ kind, jobId, clientId, account, detail }: EncodingMessage): void {
    const { log } = this.#options;
    const fields = { kind, job: jobId, clientId, account, detail };
    if (kind === "finished" || kind === "canceled") log.info("encoding.job", fields);
    else log.warn("encoding.job", fields);
  }
}
