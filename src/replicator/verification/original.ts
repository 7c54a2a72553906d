/** Looks whether a source still has the bytes that were copied from it. */
import type { BlobRecord } from "../../core/ports/journal.ts";
import type { BlobInfo } from "../../core/ports/storage.ts";
import { forEachBounded } from "../bounded.ts";
import { compareContainers, inOrder, wholeMd5, type CompareOptions, type Comparison } from "./compare.ts";
import type { Problem } from "./consequences.ts";
import { RingSample, type Sampled } from "./sample.ts";

const READS_AT_A_TIME = 4;

interface Expected {
  readonly blob: BlobInfo;
  readonly md5: string;
}

/**
 * `target` and `jobId` are those of a copy, the witness: what was recorded may be a Content-MD5 that was wrong from the beginning, so that a copy has
 * to bear out every suspicion against its source. Blobs above `wholeBytes` are compared with their copies only, range by range, when those are
 * verified.
 */
export async function compareOriginal(options: CompareOptions): Promise<Comparison> {
  const survey = await inOrder(options, async (names) => {
    const { policy, seed, from } = options;
    const ring = new RingSample<Expected>(policy.content === "full" ? Infinity : policy.blobs, seed, from);
    const suspects = new Set<string>();
    let blobs = 0;
    for await (const { source, target, record } of names) {
      if (source !== null) blobs += 1;
      else if (target !== null && record !== null) suspects.add(target.name);
      const expected = source === null ? null : expectedOf(source, record);
      if (expected !== null && isRead(expected.blob, policy)) ring.add(expected.blob.name, expected);
    }
    return { blobs, suspects, ...ring.chosen() };
  });
  const { blobs, suspects, items, next } = survey;
  const readBytes = await readAll(options, items, suspects);
  return { blobs, readBlobs: items.length, readBytes, next, notes: [], problems: await borneOut(options, suspects) };
}

function isRead({ length, copyStatus, tier }: BlobInfo, { content, wholeBytes }: CompareOptions["policy"]): boolean {
  if (content === "none" || content === "md5" || tier === "Archive") return false;
  return (copyStatus === null || copyStatus === "success") && (content === "full" || length <= wholeBytes);
}

function expectedOf(blob: BlobInfo, record: BlobRecord | null): Expected | null {
  const md5 = record?.sourceEtag === blob.etag ? record.md5 : blob.contentMd5;
  return md5 === null ? null : { blob, md5 };
}

async function readAll({ source, signal }: CompareOptions, chosen: readonly Sampled<Expected>[], suspects: Set<string>): Promise<number> {
  let bytes = 0;
  const read = async ({ item: { blob, md5 } }: Sampled<Expected>): Promise<void> => {
    bytes += blob.length;
    if ((await wholeMd5({ container: source, blob }, signal)) !== md5) suspects.add(blob.name);
  };
  await forEachBounded(chosen, READS_AT_A_TIME, read, signal);
  return bytes;
}

async function borneOut(options: CompareOptions, only: ReadonlySet<string>): Promise<readonly Problem[]> {
  if (only.size === 0) return [];
  const { problems } = await compareContainers({ ...options, policy: { ...options.policy, content: "full" }, only, bothSides: true });
  return problems.filter(({ kind }) => kind === "source_damaged" || kind === "source_missing");
}
