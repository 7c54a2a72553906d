/** Inputs of jobs over the media accounts of the regions that have them. */
import type { Clock } from "../core/clock.ts";
import type { CatalogueEntry } from "../core/contracts.ts";
import type { EncodingInput, EncodingJob, InputCopy } from "../core/encoding.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import type { CatalogueView } from "../core/ports/catalogue.ts";
import type { AccountInput } from "../core/ports/encodingAccount.ts";
import type { EncodingInputs } from "../core/ports/encodingInputs.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { copyInput } from "./inputCopying.ts";

export interface AccountInputsOptions {
  /** Region -> its media account. */
  readonly regions: ReadonlyMap<string, MediaAccount>;
  /** Knows where assets were copied to; null: nothing is replicated. */
  readonly catalogue: Pick<CatalogueView, "entries"> | null;
  readonly clock: Clock;
}

/** Where files can be read: the same in each region. */
interface Place {
  readonly region: string;
  readonly assetName: string;
  readonly files: readonly string[];
  /** Somebody else's word for it that the asset is there: it is looked for. */
  readonly isCopy: boolean;
}

type StoredInput = Exclude<EncodingInput, { readonly kind: "url" }>;

/** Errors of media accounts and of storage that may pass. */
const PASSING = new Set(["account_unavailable", "storage_unavailable", "input_unavailable"]);
/** For one region: another one may have it, too. */
const PLACE_TIMEOUT_MS = 15_000;

export class MediaAccountInputs implements EncodingInputs {
  readonly #options: AccountInputsOptions;

  constructor(options: AccountInputsOptions) {
    this.#options = options;
  }

  async open({ input, copies }: Pick<EncodingJob, "input" | "copies">, account: string, signal: AbortSignal): Promise<AccountInput> {
    if (input.kind === "url") return { kind: "urls", urls: [input.url] };
    const places = input.kind === "upload" ? keptAt(input.fileName, copies) : this.#assetPlaces(input);
    const here = places.find(({ region }) => region === account);
    if (here !== undefined && (!here.isCopy || (await this.#isThere(here, signal))))
      return { kind: "asset", assetName: here.assetName, files: here.files };
    return { kind: "urls", urls: await this.#urls(input, places, signal) };
  }

  async copy({ input, copies }: Pick<EncodingJob, "input" | "copies">, to: InputCopy, signal: AbortSignal): Promise<void> {
    if (input.kind !== "upload") throw missing(`copy the input to ${to.region}`, "it was not uploaded");
    const target = this.#options.regions.get(to.region);
    if (target === undefined) throw missing(described(to), NO_ACCOUNT);
    const sources = copies.filter(({ state, region }) => state === "kept" && region !== to.region);
    const failures: unknown[] = [];
    for (const { region, assetName } of sources) {
      const source = this.#options.regions.get(region);
      try {
        if (source !== undefined)
          return await copyInput({ input, from: { account: source, assetName }, to: { account: target, ...to } }, signal);
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
    const [first = missing(`copy ${input.fileName} to ${to.region}`, "no region keeps it")] = failures;
    throw first;
  }

  async discard({ region, assetName }: InputCopy, signal: AbortSignal): Promise<void> {
    const media = this.#options.regions.get(region);
    if (media?.deleteAsset === undefined) throw missing(`remove asset ${assetName} from ${region}`, NO_ACCOUNT);
    using deadline = this.#options.clock.deadline(PLACE_TIMEOUT_MS);
    const within = AbortSignal.any([deadline.signal, signal]);
    if ((await media.assetLocators(assetName, within)).length > 0)
      throw new PaircastError("media_in_use", `remove asset ${assetName} from ${region}: it has been published`, { retry: "conflict" });
    await media.deleteAsset(assetName, within);
  }

  /** Its own region first. */
  #assetPlaces({ region, assetName, files }: Extract<EncodingInput, { readonly kind: "asset" }>): readonly Place[] {
    const copied = (this.#options.catalogue?.entries() ?? []).filter((entry) => entry.assetName === assetName).flatMap(regionsOf);
    // Of the same name there may be another asset elsewhere: only the copies of this one count.
    const others = copied.filter(({ from }) => from.includes(region)).map(({ at }) => at);
    const regions = [...new Set([region, ...others])];
    return regions.map((at) => ({ region: at, assetName, files, isCopy: at !== region }));
  }

  async #isThere(place: Place, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#within(signal, async (within) => (await this.#account(place).asset(place.assetName, within)) !== null);
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /** From the first region that has all files. */
  async #urls(input: StoredInput, places: readonly Place[], signal: AbortSignal): Promise<readonly string[]> {
    const failures: unknown[] = [];
    for (const place of places) {
      try {
        return await this.#within(signal, async (within) => this.#urlsAt(place, within));
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
    throw told(input, failures);
  }

  async #urlsAt(place: Place, signal: AbortSignal): Promise<readonly string[]> {
    const what = described(place);
    const media = this.#account(place);
    const asset = await media.asset(place.assetName, signal);
    if (asset === null) throw missing(what, "there is no such asset");
    const container = media.container(asset, "read");
    const files = place.files.length > 0 ? place.files : [await only(container.list(signal), what)];
    for (const file of files) if ((await container.head(file, signal)) === null) throw missing(what, `the asset has no file ${file}`);
    return Promise.all(files.map(async (file) => container.readUrl(file)));
  }

  #account(place: Place): MediaAccount {
    const media = this.#options.regions.get(place.region);
    if (media === undefined) throw missing(described(place), NO_ACCOUNT);
    return media;
  }

  async #within<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    using deadline = this.#options.clock.deadline(PLACE_TIMEOUT_MS);
    try {
      return await ask(AbortSignal.any([deadline.signal, signal]));
    } catch (error) {
      if (!deadline.signal.aborted) throw error;
      throw new PaircastError("input_unavailable", `no answer within ${PLACE_TIMEOUT_MS / 1000} s`, { retry: "retry", cause: error });
    }
  }
}

const NO_ACCOUNT = "that region is not configured, or has no media account";

function keptAt(fileName: string, copies: readonly InputCopy[]): readonly Place[] {
  const kept = copies.filter(({ state }) => state === "kept");
  return kept.map(({ region, assetName }) => ({ region, assetName, files: [fileName], isCopy: false }));
}

/** Where the entry's asset is, and the regions whose asset of this name is the same one. */
function regionsOf({ source, regions }: CatalogueEntry): { readonly at: string; readonly from: readonly string[] }[] {
  const verified = Object.entries(regions).flatMap(([region, { state }]) => (state === "verified" ? [region] : []));
  return verified.map((at) => ({ at, from: [source, ...verified] }));
}

/** That something does not answer is said first: what the others lack may be there. */
function told(input: StoredInput, failures: readonly unknown[]): unknown {
  const passing = failures.find((error) => PASSING.has(errorCode(error)));
  const what = input.kind === "upload" ? `read the uploaded file ${input.fileName}` : `read asset ${input.assetName} of ${input.region}`;
  if (passing !== undefined)
    return new PaircastError("input_unavailable", `${what}: no region that may have it answers now`, { retry: "retry", cause: passing });
  const [first] = failures;
  if (first === undefined) return missing(what, "no region keeps it any more");
  return first instanceof PaircastError ? missing(what, "it cannot be read", first) : first;
}

async function only(blobs: AsyncIterable<{ readonly name: string }>, what: string): Promise<string> {
  const names: string[] = [];
  for await (const { name } of blobs) names.push(name);
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw missing(what, `it has ${names.length} files, and none is named: name those that are to be encoded`);
}

function described({ assetName, region }: Pick<Place, "assetName" | "region">): string {
  return `read asset ${assetName} of ${region}`;
}

function missing(what: string, why: string, cause?: PaircastError): PaircastError {
  if (cause?.code === "input_missing") return cause;
  return new PaircastError("input_missing", `${what}: ${why}`, { cause });
}
