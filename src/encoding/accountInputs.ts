/** Inputs of jobs over the media accounts of the regions that have them. */
import type { EncodingInput } from "../core/encoding.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import type { AccountInput } from "../core/ports/encodingAccount.ts";
import type { EncodingInputs } from "../core/ports/encodingInputs.ts";
import type { MediaAccount } from "../core/ports/media.ts";

type AssetInput = Extract<EncodingInput, { readonly kind: "asset" }>;

/** Errors of media accounts and of storage that may pass. */
const PASSING = new Set(["account_unavailable", "storage_unavailable"]);

export class MediaAccountInputs implements EncodingInputs {
  readonly #regions: ReadonlyMap<string, MediaAccount>;

  /** Region -> its media account. */
  constructor(regions: ReadonlyMap<string, MediaAccount>) {
    this.#regions = regions;
  }

  async open(input: EncodingInput, account: string, signal: AbortSignal): Promise<AccountInput> {
    if (input.kind === "url") return { kind: "urls", urls: [input.url] };
    if (input.region === account) return { kind: "asset", assetName: input.assetName, files: input.files };
    try {
      return { kind: "urls", urls: await this.#urls(input, signal) };
    } catch (error) {
      signal.throwIfAborted();
      throw this.#told(input, error);
    }
  }

  async #urls(input: AssetInput, signal: AbortSignal): Promise<readonly string[]> {
    const media = this.#regions.get(input.region);
    if (media === undefined) throw missing(input, "that region is not configured, or has no media account");
    const asset = await media.asset(input.assetName, signal);
    if (asset === null) throw missing(input, "there is no such asset");
    const container = media.container(asset, "read");
    const files = input.files.length > 0 ? input.files : [await only(container.list(signal), input)];
    for (const file of files) if ((await container.head(file, signal)) === null) throw missing(input, `the asset has no file ${file}`);
    return Promise.all(files.map(async (file) => container.readUrl(file)));
  }

  #told(input: AssetInput, error: unknown): unknown {
    if (!PASSING.has(errorCode(error))) return error instanceof PaircastError ? missing(input, "it cannot be read", error) : error;
    return new PaircastError("input_unavailable", `read asset ${input.assetName} of ${input.region}: it does not answer now`, {
      retry: "retry",
      cause: error,
    });
  }
}

async function only(blobs: AsyncIterable<{ readonly name: string }>, input: AssetInput): Promise<string> {
  const names: string[] = [];
  for await (const { name } of blobs) names.push(name);
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw missing(input, `it has ${names.length} files, and none is named: name those that are to be encoded`);
}

function missing({ region, assetName }: AssetInput, why: string, cause?: PaircastError): PaircastError {
  if (cause?.code === "input_missing") return cause;
  return new PaircastError("input_missing", `read asset ${assetName} of ${region}: ${why}`, { cause });
}
