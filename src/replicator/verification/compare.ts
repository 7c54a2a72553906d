/** Compares two containers, as thoroughly as the policy says: lists both, reads what only the bytes can tell, names what is wrong. */
import type { CopyVerification } from "../../core/contracts.ts";
import { errorCode } from "../../core/errors.ts";
import type { BlobRecord } from "../../core/ports/journal.ts";
import type { BlobInfo } from "../../core/ports/storage.ts";
import { forEachBounded } from "../bounded.ts";
import { Unordered, walk, walkSorted, type Met, type WalkedSides } from "../copying/walk.ts";
import { contentMd5, sameRange, type PlacedBlob } from "../hash.ts";
import { judgeDifferent, judgeListed, type BlobProblem, type Digests, type Listed } from "./blobVerdict.ts";
import type { Problem } from "./consequences.ts";
import { RANGE_BYTES, type VerificationPolicy } from "./policy.ts";
import { RingSample, sampleRanges, type Sampled, type SampleMark } from "./sample.ts";

/** Reading both sides costs memory and bandwidth of our own. */
const READS_AT_A_TIME = 4;
/** Blobs that wait to be read while the listing goes on. */
const BATCH = 64;

export interface CompareOptions extends WalkedSides {
  readonly policy: Pick<VerificationPolicy, "content" | "blobs" | "ranges" | "wholeBytes">;
  /** The same for all verifications of the video: what is sampled follows from it. */
  readonly seed: string;
  readonly from: SampleMark;
  /** Only these; left out: all. */
  readonly only?: ReadonlySet<string>;
  /** Reads the source also where the target has the recorded bytes, which proves the target alone. */
  readonly bothSides?: boolean;
  /** Called for what was read whole, is equal, and is not in the journal as it is now. */
  readonly onProven?: (blob: BlobRecord) => Promise<void>;
}

export interface Comparison extends Pick<CopyVerification, "blobs" | "readBlobs" | "readBytes" | "next"> {
  readonly problems: readonly Problem[];
  /** For people: what was noticed and is nobody's fault. */
  readonly notes: readonly string[];
}

interface Pair {
  readonly source: BlobInfo;
  readonly target: BlobInfo;
  readonly record: BlobRecord | null;
}

type Bytes = { readonly same: true } | { readonly same: false; readonly digests: Digests };

/** Rejects with what the storage throws, and with `blob_changed` where somebody is writing meanwhile. Changes nothing. */
export async function compareContainers(options: CompareOptions): Promise<Comparison> {
  return inOrder(options, async (names) => {
    const comparing = new Comparing(options);
    for await (const met of names) {
      const name = (met.source ?? met.target)?.name ?? "";
      if (options.only?.has(name) !== false) await comparing.see(name, met);
    }
    return comparing.end();
  });
}

/** Walks both sides, once more from the beginning where a service lists in an order of its own. */
export async function inOrder<T>(sides: WalkedSides, work: (names: AsyncIterable<Met>) => Promise<T>): Promise<T> {
  try {
    return await work(walk(sides));
  } catch (error) {
    if (error instanceof Unordered) return work(walkSorted(sides));
    throw error;
  }
}

class Comparing {
  readonly #options: CompareOptions;
  readonly #ring: RingSample<Pair>;
  readonly #problems: Problem[] = [];
  #waiting: Sampled<Pair>[] = [];
  #blobs = 0;
  #extra = 0;
  #readBlobs = 0;
  #readBytes = 0;

  constructor(options: CompareOptions) {
    this.#options = options;
    this.#ring = new RingSample(options.policy.blobs, options.seed, options.from);
  }

  async see(name: string, { source, target, record }: Met): Promise<void> {
    const listed = judgeListed({ source, target, record });
    if (listed.kind === "extra") this.#extra += 1;
    else this.#blobs += 1;
    if (listed.kind === "problem") this.#add(name, listed.problem, listed.detail, recordedMd5(source, record));
    else if (source !== null && target !== null) await this.#choose({ source, target, record }, listed);
  }

  async end(): Promise<Comparison> {
    const { items, next } = this.#ring.chosen();
    await this.#read(this.#waiting);
    await this.#read(items);
    const notes = this.#extra === 0 ? [] : [`the target has ${this.#extra} blobs that the source lacks; they are left alone`];
    return { problems: this.#problems, notes, blobs: this.#blobs, readBlobs: this.#readBlobs, readBytes: this.#readBytes, next };
  }

  /** What the journal has not proven is always looked at; of the rest, what the policy says. */
  async #choose(pair: Pair, listed: Listed): Promise<void> {
    const { content } = this.#options.policy;
    if (listed.kind === "content") {
      if (content === "none" || (content === "md5" && claimsAgree(pair))) return;
      if (content === "sampled" && listed.proven) {
        this.#ring.add(pair.source.name, pair);
        return;
      }
    }
    this.#waiting.push({ item: pair, lap: this.#options.from.lap });
    if (this.#waiting.length < BATCH) return;
    const batch = this.#waiting;
    this.#waiting = [];
    await this.#read(batch);
  }

  async #read(batch: readonly Sampled<Pair>[]): Promise<void> {
    await forEachBounded(batch, READS_AT_A_TIME, async ({ item, lap }) => this.#readPair(item, lap), this.#options.signal);
  }

  async #readPair(pair: Pair, lap: number): Promise<void> {
    const { source, target, record } = pair;
    this.#readBlobs += 1;
    const bytes = await this.#compareBytes(pair, lap);
    if (bytes.same) return;
    const problem = judgeDifferent(source, target, record, bytes.digests);
    const md5 = problem === "target_damaged" ? bytes.digests.source : (record?.md5 ?? bytes.digests.target);
    this.#add(source.name, problem, differenceText(pair), md5);
  }

  async #compareBytes(pair: Pair, lap: number): Promise<Bytes> {
    const { source, target } = pair;
    if (source.length !== target.length) return this.#digests(pair, null);
    const { policy, seed, signal } = this.#options;
    if (policy.content === "full" || target.length <= policy.wholeBytes) return this.#compareWhole(pair);
    for (const range of sampleRanges(target.length, { count: policy.ranges, bytes: RANGE_BYTES }, `${seed}\n${source.etag}`, lap)) {
      this.#readBytes += range.length;
      const same = await unlessChanged(sameRange(this.#placed("source", source), this.#placed("target", target), range, signal));
      if (same !== true) return this.#digests(pair, null);
    }
    return { same: true };
  }

  /** With what was recorded when both were seen equal, one side is proven by itself: half of the reading. */
  async #compareWhole(pair: Pair): Promise<Bytes> {
    const { source, record } = pair;
    const digest = await this.#digest("target", pair.target);
    const expected = record?.sourceEtag === source.etag ? record.md5 : source.contentMd5;
    if (digest === null || digest !== expected || this.#options.bothSides === true) return this.#digests(pair, digest);
    await this.#proven(pair, digest);
    return { same: true };
  }

  async #digests(pair: Pair, known: string | null): Promise<Bytes> {
    const source = await this.#digest("source", pair.source);
    const target = known ?? (await this.#digest("target", pair.target));
    if (source === null || source !== target) return { same: false, digests: { source, target } };
    await this.#proven(pair, source);
    return { same: true };
  }

  /** An MD5 that was believed when it was copied may have been wrong: the journal learns what the bytes say. */
  async #proven({ source, target, record }: Pair, md5: string): Promise<void> {
    if (record?.md5 === md5 && record.sourceEtag === source.etag && record.targetEtag === target.etag) return;
    const { name, etag, length } = source;
    await this.#options.onProven?.({ name, sourceEtag: etag, targetEtag: target.etag, length, md5 });
  }

  /** Null where the blob has not the bytes that it lists. */
  async #digest(side: "source" | "target", blob: BlobInfo): Promise<string | null> {
    if (side === "target") this.#readBytes += blob.length;
    return wholeMd5(this.#placed(side, blob), this.#options.signal);
  }

  #placed(side: "source" | "target", blob: BlobInfo): PlacedBlob {
    return { container: this.#options[side], blob };
  }

  #add(name: string, kind: BlobProblem, detail: string, md5: string | null): void {
    this.#problems.push({ kind, what: `blob ${name}`, detail, blob: { name, md5 } });
  }
}

/** The MD5 of what a blob gives; null where it has not the bytes that it lists. Throws `blob_changed` where it is being replaced. */
export async function wholeMd5({ container, blob }: PlacedBlob, signal?: AbortSignal): Promise<string | null> {
  try {
    return await contentMd5(container, blob, signal);
  } catch (error) {
    if (errorCode(error) !== "blob_changed") throw error;
    const now = await container.head(blob.name, signal);
    if (now?.etag !== blob.etag) throw error;
    return null;
  }
}

async function unlessChanged<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) !== "blob_changed") throw error;
    return null;
  }
}

/** The content that a blob should have, where the source's is still the recorded one. */
function recordedMd5(source: BlobInfo | null, record: BlobRecord | null): string | null {
  return record !== null && (source === null || source.etag === record.sourceEtag) ? record.md5 : null;
}

function claimsAgree({ source, target }: Pair): boolean {
  return source.contentMd5 !== null && source.contentMd5 === target.contentMd5;
}

function differenceText({ source, target }: Pair): string {
  if (source.length !== target.length) return `${source.length} bytes in the source, ${target.length} in the target`;
  return `its ${target.length} bytes differ between source and target`;
}
