/** The lines of an archive: a header, then one catalogue entry or sealed key record each. */
import { z } from "zod";
import type { CatalogueEntry } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { SealedRecord } from "../../core/ports/keyRecords.ts";

/** A change that older releases would misread makes it another number. Fields that they may ignore do not. */
const FORMAT = 1;
/** The header is written last, over spaces that were left for it. */
export const HEADER_BYTES = 512;

const count = z.int().min(0);
const millis = z.number().min(0);

const header = z.looseObject({
  paircast: z.literal("archive"),
  format: z.int().min(1),
  /** Of paircast, for people. */
  version: z.string(),
  exportedAt: millis,
  entries: count,
  keyRecords: count,
  /** Of everything after the header's line, hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Tells under which store's key the entries' fingerprints were made. */
  fingerprints: z.string(),
});
export type ArchiveHeader = z.output<typeof header>;

/** What it does not name is kept as it is: later releases say more of a copy. */
const copy = z.looseObject({
  state: z.enum(["verified", "withdrawn"]),
  at: millis,
  detail: z.string(),
  aligned: z.boolean().optional(),
});

const path = z.string().startsWith("/").nullable();

const entry = z.looseObject({
  locatorId: z.string().min(1).lowercase(),
  locatorName: z.string(),
  assetName: z.string().min(1),
  source: z.string().min(1),
  streamingPolicyName: z.string().nullable(),
  contentKeyPolicyName: z.string().nullable(),
  manifests: z.strictObject({ hls: path, dash: path }),
  keys: z.array(z.strictObject({ id: z.string().min(1), fingerprint: z.string().nullable() })),
  keyHost: z.enum(["streaming", "region", "gateway", "elsewhere"]).optional(),
  regions: z.record(z.string(), copy),
  publishedAt: millis,
});

const keyRecord = z.strictObject({
  id: z.string().min(1),
  version: z.string().min(1),
  keyId: z.string().min(1),
  at: millis,
  sealed: z.base64(),
});

const entryLine = z.strictObject({ entry });
const keyRecordLine = z.strictObject({ keyRecord });

export type ArchiveLine = { readonly entry: CatalogueEntry } | { readonly keyRecord: SealedRecord };

export function headerText(known: Omit<ArchiveHeader, "paircast" | "format">): string {
  return `${JSON.stringify({ paircast: "archive", format: FORMAT, ...known }).padEnd(HEADER_BYTES - 1)}\n`;
}

/** Throws `archive_invalid` or `archive_newer`. `place` is file and line. */
export function headerFrom(text: string, place: string): ArchiveHeader {
  const read = header.safeParse(parsed(text, place));
  if (!read.success) throw invalid(place, `is not the header of an archive of paircast (${problem(read.error)})`);
  if (read.data.format > FORMAT)
    throw new PaircastError(
      "archive_newer",
      `${place}: format ${read.data.format} is newer than this release knows (${FORMAT}); use the release that made it (${read.data.version}) or a later one`,
    );
  return read.data;
}

/** Throws `archive_invalid`. */
export function lineFrom(text: string, place: string): ArchiveLine {
  const value = parsed(text, place);
  const isRecord = typeof value === "object" && value !== null && "keyRecord" in value;
  const read = (isRecord ? keyRecordLine : entryLine).safeParse(value);
  if (!read.success) throw invalid(place, problem(read.error));
  return read.data as ArchiveLine;
}

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(place, "is not JSON");
  }
}

function problem({ issues }: z.ZodError): string {
  return issues
    .slice(0, 3)
    .map(({ path: at, message }) => (at.length === 0 ? message : `${at.join(".")}: ${message}`))
    .join("; ");
}

export function invalid(place: string, why: string): PaircastError {
  return new PaircastError("archive_invalid", `${place}: ${why}; nothing was imported`);
}
