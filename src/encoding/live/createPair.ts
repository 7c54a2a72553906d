/** Makes a pair of live events, or completes one: in each region asset, locator, event and output, and at last the catalogue's entry. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { errorCode, PaircastError } from "../../core/errors.ts";
import { LIVE_DESCRIPTION, liveContainer, liveManifests, liveName } from "../../core/live.ts";
import type { StreamingLocator } from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { LivePairsOptions, LiveRegion } from "./deps.ts";
import { inEach, succeeded, type RegionResult } from "./inEach.ts";
import { withRegions, type LiveFacts } from "./liveEntry.ts";
import { lookAtRegion } from "./look.ts";
import { differences, originOf, type LivePairSpec, type Looks, type RegionLook } from "./pairing.ts";

type Changes = readonly string[];

export class CreatePair {
  readonly #options: LivePairsOptions;
  readonly #spec: LivePairSpec;
  readonly #regions: readonly string[];
  /** For a locator that is made anew. */
  readonly #newId: string;
  readonly #stop: AbortSignal;
  readonly #own: string;

  constructor(options: LivePairsOptions, spec: LivePairSpec, regions: readonly string[], newId: string, stop: AbortSignal) {
    this.#options = options;
    this.#spec = spec;
    this.#regions = regions;
    this.#newId = newId;
    this.#stop = stop;
    this.#own = liveName(spec.name);
  }

  /** What was made in each region. `entry` is what the catalogue has of it. */
  async run(entry: CatalogueEntry | null): Promise<readonly RegionResult<Changes>[]> {
    const looked = await this.#look();
    const looks = succeeded(looked);
    const unseen = looked.flatMap(({ region, failure }) => (failure === null ? [] : [{ region, value: null, failure }]));
    const published = await this.#publish(looks, entry);
    const located = succeeded(published);
    const token = this.#token(looks);
    const made = await inEach(this.#options, [...located.keys()], "changeMs", this.#stop, async (region, signal) => [
      ...(located.get(region.live.region) ?? []),
      ...(await this.#makeEvent(region, looks.get(region.live.region) ?? null, token, signal)),
    ]);
    await this.#catalogue([...succeeded(made).keys()]);
    return [...made, ...published.filter(({ failure }) => failure !== null), ...unseen];
  }

  /** A region that has something else in the place refuses it, before anything is written there. */
  async #look(): Promise<readonly RegionResult<RegionLook>[]> {
    return inEach(this.#options, this.#regions, "lookMs", this.#stop, async (region, signal) => {
      const look = await lookAtRegion(region, this.#spec.name, signal);
      const found = differences(this.#spec, look);
      if (found.length > 0) throw this.#differs(region.live.region, found);
      if (look.hasRecording) throw this.#recorded(region.live.region);
      return look;
    });
  }

  /** Asset and locator, in one region first, for the others get its id and its keys. */
  async #publish(looks: Looks, entry: CatalogueEntry | null): Promise<readonly RegionResult<Changes>[]> {
    const origin = originOf(looks, entry);
    if (origin.kind === "waiting") return this.#refused(looks, origin.regions);
    const first = await this.#first(looks, origin.kind === "copied" ? origin.region : null, entry);
    const from = this.#options.regions.get(first.find(({ failure }) => failure === null)?.region ?? "")?.media;
    if (from === undefined) return first;
    // What a region lacked to be the first, it gets from that one.
    const lost = first.filter(({ failure }) => failure !== null && failure.code !== "live_policy");
    const done = new Set([from.region, ...lost.map(({ region }) => region)]);
    const others = [...looks.keys()].filter((region) => !done.has(region));
    const copied = await inEach(this.#options, others, "changeMs", this.#stop, async ({ media, live }, signal) => {
      const made = await this.#makeAsset(media, signal);
      await this.#options.carry(from, media, this.#own, signal);
      return [...made, ...(looks.get(live.region)?.locator === null ? [`locator ${this.#own}`] : [])];
    });
    return [...first.filter(({ region }) => done.has(region)), ...copied];
  }

  /** The region that has the locator; else the first in which it can be made. Those tried before it have failed. */
  async #first(looks: Looks, having: string | null, entry: CatalogueEntry | null): Promise<readonly RegionResult<Changes>[]> {
    const tried: RegionResult<Changes>[] = [];
    for (const region of having === null ? looks.keys() : [having]) {
      const [result] = await inEach(this.#options, [region], "changeMs", this.#stop, async ({ media }, signal) => [
        ...(await this.#makeAsset(media, signal)),
        ...(having === null ? await this.#makeLocator(media, entry?.locatorId ?? this.#newId, signal) : []),
      ]);
      if (result === undefined) continue;
      tried.push(result);
      if (result.failure === null) break;
    }
    return tried;
  }

  async #makeAsset(media: MediaAccount, signal: AbortSignal): Promise<Changes> {
    const spec = { name: this.#own, container: liveContainer(this.#spec.name), alternateId: null, description: LIVE_DESCRIPTION };
    return unlessThere(`asset ${this.#own}`, async () => media.createAsset(spec, signal));
  }

  /** Without keys: the service draws those that the streaming policy asks for. */
  async #makeLocator(media: MediaAccount, streamingLocatorId: string, signal: AbortSignal): Promise<Changes> {
    const { streamingPolicyName, contentKeyPolicyName } = this.#spec;
    await this.#refusePolicies(media, signal);
    const locator: StreamingLocator = {
      name: this.#own,
      assetName: this.#own,
      streamingLocatorId,
      streamingPolicyName,
      defaultContentKeyPolicyName: contentKeyPolicyName,
      alternativeMediaId: null,
      startTime: null,
      endTime: null,
      filters: [],
      contentKeys: [],
      created: this.#options.clock.now(),
    };
    return unlessThere(`locator ${this.#own}`, async () => media.createLocator(locator, signal));
  }

  async #refusePolicies(media: MediaAccount, signal: AbortSignal): Promise<void> {
    const { streamingPolicyName, contentKeyPolicyName } = this.#spec;
    const lacks = (what: string): PaircastError =>
      new PaircastError("live_policy", `publish ${this.#own} in ${media.region}: there is no ${what}; create it in one region at least`);
    if ((await media.streamingPolicy(streamingPolicyName, signal)) === null) throw lacks(`streaming policy ${streamingPolicyName}`);
    if (contentKeyPolicyName !== null && (await media.contentKeyPolicy(contentKeyPolicyName, signal)) === null)
      throw lacks(`content key policy ${contentKeyPolicyName}`);
  }

  async #makeEvent({ live }: LiveRegion, look: RegionLook | null, accessToken: string, signal: AbortSignal): Promise<Changes> {
    const { name, archiveMs } = this.#spec;
    const made: string[] = [];
    if (look?.event == null)
      made.push(...(await unlessThere(`live event ${name}`, async () => live.createEvent({ ...this.#spec, accessToken }, signal))));
    const output = { name: this.#own, assetName: this.#own, manifestName: name, archiveMs };
    if (look?.output == null)
      made.push(...(await unlessThere(`live output ${this.#own}`, async () => live.createOutput(name, output, signal))));
    return made;
  }

  /** The same in all regions, unless what is there already has its own. */
  #token(looks: Looks): string {
    const known = [...looks.values()].flatMap(({ event }) => event?.accessToken ?? []);
    return withHyphens(this.#spec.accessToken ?? known[0] ?? this.#options.random.uuid());
  }

  async #catalogue(regions: readonly string[]): Promise<void> {
    const [source] = regions;
    const media = source === undefined ? undefined : this.#options.regions.get(source)?.media;
    if (source === undefined || media === undefined) return;
    using deadline = this.#options.clock.deadline(30_000);
    const facts = await this.#facts(media, AbortSignal.any([this.#stop, deadline.signal]));
    const at = this.#options.clock.now();
    await this.#options.change(facts.locatorId, (stored) => withRegions(stored, facts, { source, regions, at }));
  }

  async #facts(media: MediaAccount, signal: AbortSignal): Promise<LiveFacts> {
    const { name, streamingPolicyName, contentKeyPolicyName } = this.#spec;
    const locator = await media.locator(this.#own, signal);
    const policy = await media.streamingPolicy(streamingPolicyName, signal);
    if (locator === null || policy === null)
      throw new PaircastError("live_changed", `catalogue ${this.#own}: its locator or policy in ${media.region} has gone`, {
        retry: "retry",
      });
    const locatorId = locator.streamingLocatorId.toLowerCase();
    const print = (value: string): string => this.#options.fingerprint(Buffer.from(value, "base64"));
    return {
      locatorId,
      locatorName: locator.name,
      assetName: locator.assetName,
      streamingPolicyName,
      contentKeyPolicyName,
      manifests: liveManifests(locatorId, name, policy),
      keys: locator.contentKeys.map(({ id, value }) => ({ id: id.toLowerCase(), fingerprint: print(value) })),
    };
  }

  #refused(looks: Looks, having: readonly string[]): readonly RegionResult<Changes>[] {
    const message = `publish ${this.#own}: its content keys are in ${having.join(" and ")}, which cannot be asked now: do it again later`;
    return [...looks.keys()].map((region) => ({ region, value: null, failure: { region, code: "live_keys_unreachable", message } }));
  }

  #differs(region: string, found: Changes): PaircastError {
    const advice = "ask for what is there, delete it, or take another name";
    return new PaircastError("live_differs", `live event ${this.#spec.name} in ${region} differs: ${found.join("; ")}: ${advice}`, {
      retry: "conflict",
    });
  }

  #recorded(region: string): PaircastError {
    const advice = "delete the asset if it is of no use, or take another name";
    return new PaircastError("live_recording", `asset ${this.#own} in ${region} holds the recording of an earlier event: ${advice}`, {
      retry: "conflict",
    });
  }
}

/** The service answers without them, and may not take what it answers. */
function withHyphens(token: string): string {
  return token.replace(/^(\w{8})(\w{4})(\w{4})(\w{4})(\w{12})$/, "$1-$2-$3-$4-$5");
}

const THERE: readonly string[] = ["media_exists", "live_exists"];

async function unlessThere(what: string, make: () => Promise<unknown>): Promise<Changes> {
  try {
    await make();
    return [what];
  } catch (error) {
    if (THERE.includes(errorCode(error))) return [];
    throw error;
  }
}
