/** What a player says of itself with a steering request: `_HLS_pathway`, `_HLS_throughput` and those of DASH. Pure. */
import { percentDecoded } from "../../core/percent.ts";

export interface Report {
  /** The pathways that it used since it last asked; empty where it does not say, or nothing that can be read. */
  readonly used: readonly string[];
  /** As it came: what is the same as last time says that nothing was loaded since. */
  readonly throughput: string | null;
  /** Bits per second of the first pathway named; null where it does not say. */
  readonly bitsPerSecond: number | null;
}

/** Raw parameters by name. */
type Fields = Partial<Record<string, string>>;

/** A player names the pathways of its session and no others; what is longer is nobody's honest word. */
const MAX_TEXT = 1_024;
const MAX_USED = 32;

/** Of raw query parameters. Ids may stand in quotes: HLS §7.4 asks for them, hls.js leaves them out. */
export function readReport(fields: Fields): Report {
  const used = idsOf(decoded(fields["_HLS_pathway"] ?? fields["_DASH_pathway"]));
  const throughput = decoded(fields["_HLS_throughput"] ?? fields["_DASH_throughput"]);
  return { used, throughput, bitsPerSecond: numberOf(throughput) };
}

function idsOf(text: string | null): readonly string[] {
  if (text === null) return [];
  return text
    .replaceAll('"', "")
    .split(",", MAX_USED)
    .flatMap((id) => id.trim() || []);
}

function numberOf(text: string | null): number | null {
  const first = text?.replaceAll('"', "").split(",", 1)[0]?.trim() ?? "";
  return /^\d{1,15}(?:\.\d+)?$/.test(first) ? Number(first) : null;
}

function decoded(text: string | undefined): string | null {
  return text === undefined || text.length > MAX_TEXT ? null : percentDecoded(text);
}
