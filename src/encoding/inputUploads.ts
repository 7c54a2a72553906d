/**
 * Streams a file into assets of several regions at once, part by part and no faster than the slowest of them takes it. A region that fails is left
 * out; the others go on. What becomes of the assets is the caller's business: their names are in a record before they are made.
 */
import type { Clock } from "../core/clock.ts";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { BlobUpload } from "../core/ports/storage.ts";
import { inputAsset } from "./inputCopying.ts";
import { partsOf } from "./parts.ts";

export interface InputUploadsOptions {
  /** Region -> its media account. */
  readonly regions: ReadonlyMap<string, MediaAccount>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface IncomingFile {
  readonly assetName: string;
  readonly fileName: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

interface Sink {
  readonly region: string;
  readonly blob: BlobUpload;
  /** Parts under way, oldest first. */
  readonly under: Promise<void>[];
}

/** With 50,000 of them a blob has up to 390 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
/** Parts under way per region. With the one that is being filled: what an upload takes of memory. */
const PARTS_AT_A_TIME = 2;
/** A region that has not made the asset by then is not waited for. */
const OPEN_TIMEOUT_MS = 15_000;
/** Longest pause in what the client sends. */
const IDLE_MS = 60_000;
/** Uploads of this process at a time. */
const AT_A_TIME = 4;

export class InputUploads {
  readonly #options: InputUploadsOptions;
  #running = 0;

  constructor(options: InputUploadsOptions) {
    this.#options = options;
  }

  /** Throws `uploads_busy` (retry) where there are enough of them. Release it by `using`. */
  place(): Disposable {
    if (this.#running >= AT_A_TIME)
      throw new PaircastError("uploads_busy", `${AT_A_TIME} files are being uploaded here: try again when one is done`, { retry: "retry" });
    this.#running += 1;
    return {
      [Symbol.dispose]: () => {
        this.#running -= 1;
      },
    };
  }

  /**
   * Gives the regions that have the whole file: at most `copies` of those named, the first ones where they can be used. Throws
   * `upload_unavailable` (retry) where none could take it, `upload_incomplete` (never) where it does not have so many bytes, `upload_stalled`
   * (retry) where nothing comes any more, the source's own error, and the signal's reason.
   */
  async receive(file: IncomingFile, regions: readonly string[], copies: number, signal: AbortSignal): Promise<readonly string[]> {
    const ended = new AbortController();
    const within = AbortSignal.any([signal, ended.signal]);
    try {
      const sinks = await this.#open(file, regions, copies, within);
      const live = await this.#sent(file, sinks, within);
      return await this.#committed(file, live, within);
    } finally {
      // Ends what is still under way in regions that were left out, or after a failure.
      ended.abort();
    }
  }

  /** All that may be needed are asked at once: one that does not answer costs no time where others do. */
  async #open(file: IncomingFile, regions: readonly string[], copies: number, signal: AbortSignal): Promise<readonly Sink[]> {
    const sinks: Sink[] = [];
    for (let from = 0; from < regions.length && sinks.length < copies;) {
      const next = regions.slice(from, from + copies - sinks.length);
      from += next.length;
      const opened = await Promise.all(next.map(async (region) => this.#sink(file, region, signal)));
      sinks.push(...opened.filter((sink) => sink !== null));
    }
    signal.throwIfAborted();
    return this.#some(file, sinks);
  }

  /** Null where the region cannot take it. */
  async #sink({ assetName, fileName }: IncomingFile, region: string, signal: AbortSignal): Promise<Sink | null> {
    try {
      const account = this.#options.regions.get(region);
      if (account === undefined) return null;
      using deadline = this.#options.clock.deadline(OPEN_TIMEOUT_MS);
      const asset = await inputAsset({ account, assetName }, AbortSignal.any([signal, deadline.signal]));
      const blob = account.container(asset, "write").upload?.(fileName, "application/octet-stream");
      return blob === undefined ? null : { region, blob, under: [] };
    } catch (error) {
      signal.throwIfAborted();
      this.#left(region, assetName, error);
      return null;
    }
  }

  async #sent(file: IncomingFile, sinks: readonly Sink[], signal: AbortSignal): Promise<readonly Sink[]> {
    let [live, bytes] = [sinks, 0];
    for await (const part of partsOf(this.#watched(file.content, signal), PART_BYTES)) {
      bytes += part.length;
      if (bytes > file.bytes) throw incomplete(file, `more than the ${file.bytes} bytes that were announced`);
      live = this.#some(file, await this.#each(file, live, signal, async (sink) => put(sink, part, signal)));
    }
    if (bytes !== file.bytes) throw incomplete(file, `${bytes} of ${file.bytes} bytes`);
    return live;
  }

  async #committed(file: IncomingFile, sinks: readonly Sink[], signal: AbortSignal): Promise<readonly string[]> {
    const whole = await this.#each(file, sinks, signal, async ({ blob, under }) => {
      await Promise.all(under);
      const { length } = await blob.commit(signal);
      if (length !== file.bytes) throw new Error(`${length} of ${file.bytes} bytes are there`);
    });
    return this.#some(file, whole).map(({ region }) => region);
  }

  /** The sinks in which it went well. */
  async #each(
    file: IncomingFile,
    sinks: readonly Sink[],
    signal: AbortSignal,
    act: (sink: Sink) => Promise<void>,
  ): Promise<readonly Sink[]> {
    const results = await Promise.allSettled(sinks.map(act));
    signal.throwIfAborted();
    for (const [at, result] of results.entries())
      if (result.status === "rejected") this.#left(sinks[at]?.region ?? "", file.assetName, result.reason);
    return sinks.filter((_, at) => results[at]?.status === "fulfilled");
  }

  #some(file: IncomingFile, sinks: readonly Sink[]): readonly Sink[] {
    if (sinks.length > 0) return sinks;
    throw new PaircastError("upload_unavailable", `upload ${file.fileName}: no region takes it now; try again`, { retry: "retry" });
  }

  /** Throws `upload_stalled` where nothing comes for too long. */
  async *#watched(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const source = content[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.#next(source, signal);
        if (done === true) return;
        yield value;
      }
    } finally {
      // Not waited for: a source that has stalled does not answer.
      void source.return?.().catch(() => undefined);
    }
  }

  async #next(source: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<IteratorResult<Uint8Array, unknown>> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    using deadline = this.#options.clock.deadline(IDLE_MS);
    const within = AbortSignal.any([signal, deadline.signal]);
    const stop = new AbortController();
    const abort = (): void => {
      reject(within.reason as Error);
    };
    within.addEventListener("abort", abort, { signal: stop.signal });
    try {
      within.throwIfAborted();
      return await Promise.race([source.next(), ended]);
    } catch (error) {
      if (signal.aborted || !deadline.signal.aborted) throw error;
      throw new PaircastError("upload_stalled", `nothing came for ${IDLE_MS / 1000} s: send the file again`, { retry: "retry" });
    } finally {
      stop.abort();
    }
  }

  #left(region: string, assetName: string, error: unknown): void {
    this.#options.log.warn("encoding.upload_left_out", { region, asset: assetName, code: errorCode(error), error: errorChain(error) });
  }
}

/** Resolves as soon as the next part may come; rejects with what went wrong with an earlier one. */
async function put({ blob, under }: Sink, part: Uint8Array, signal: AbortSignal): Promise<void> {
  const sending = blob.put(part, signal);
  // It is waited for later, in its turn.
  sending.catch(() => undefined);
  under.push(sending);
  if (under.length >= PARTS_AT_A_TIME) await under.shift();
}

function incomplete({ fileName }: IncomingFile, has: string): PaircastError {
  return new PaircastError("upload_incomplete", `upload ${fileName}: what came has ${has}: send the whole file, and nothing else`);
}
