/**
 * What a player's pathway says of the region it was sent to. It leaves a pathway by itself only after that has failed it (draft-pantos-content-
 * steering §7.2), so a player that is elsewhere speaks against the head of its list, and one that is there speaks for it. Pure.
 */
import type { Report } from "./report.ts";

/** The head that a viewer was given lately, and what it reported since. */
export interface Given {
  readonly head: string;
  /** Answers with this head in a row. */
  readonly times: number;
  /** Monotonic milliseconds of the first of them. */
  readonly since: number;
  /** Epoch milliseconds of the latest. */
  readonly seenAt: number;
  /** Reports in a row that were off this head. */
  readonly away: number;
  /** Of the latest report. */
  readonly throughput: string | null;
  /** Bits per second that are usual for this viewer here; null: not known. */
  readonly usual: number | null;
}

export interface VoiceFacts {
  /** Head of the list that is given now. */
  readonly head: string;
  /** Every pathway of the session. */
  readonly pathways: readonly string[];
  /** When the head's region entered its state, epoch milliseconds. */
  readonly changedAt: number;
  /** Milliseconds between two requests of a player, at least. */
  readonly ttl: number;
  readonly monotonic: number;
  readonly now: number;
}

/**
 * - `good` it is at the head · `bad` it left the head, and that is believed · `doubtful` it is elsewhere, which may only be late news
 * - `none` it says nothing that could be used
 */
export const VOICES = ["good", "bad", "doubtful", "none"] as const;
export type Voice = (typeof VOICES)[number];

/** A throughput below this share of the usual is no sign of a region that is well. */
const COLLAPSED = 0.25;
const LEARNING = 0.25;
/** Shaka's word may be one request old, so the head has to have been given twice before. */
const TIMES = 2;

export interface Heard {
  readonly voice: Voice;
  /** To be remembered. */
  readonly given: Given;
}

/** Takes in a report. `given` is what is remembered of the viewer; null: nothing, or nothing that is recent. */
export function heard(given: Given | null, report: Report, facts: VoiceFacts): Heard {
  const before = given?.head === facts.head ? given : newcomer(facts);
  const next = { ...before, times: before.times + 1, seenAt: facts.now, away: 0, throughput: report.throughput };
  // A viewer that is being moved has not heard of its new head yet.
  const place = given !== null && before !== given ? "nowhere" : placeOf(report, facts);
  if (place === "nowhere") return { voice: "none", given: next };
  if (place === "away") return { voice: isBelieved(before, report, facts) ? "bad" : "doubtful", given: { ...next, away: before.away + 1 } };
  const voice = isCollapsed(before.usual, report.bitsPerSecond) ? "none" : "good";
  return { voice, given: { ...next, usual: learnt(before.usual, report.bitsPerSecond) } };
}

function newcomer({ head, monotonic, now }: VoiceFacts): Given {
  return { head, times: 0, since: monotonic, seenAt: now, away: 0, throughput: null, usual: null };
}

type Place = "there" | "away" | "nowhere";

/** dash.js names old and new pathway after a change: both together say nothing. So does an id that the session does not have. */
function placeOf({ used }: Report, { head, pathways }: VoiceFacts): Place {
  if (used.length === 0 || !used.every((id) => pathways.includes(id))) return "nowhere";
  if (used.every((id) => id === head)) return "there";
  return used.includes(head) ? "nowhere" : "away";
}

/** A region that changed since has been judged since. A player that has loaded nothing since may be paused, and does not know better. */
function isBelieved(given: Given, { throughput }: Report, facts: VoiceFacts): boolean {
  if (given.times < TIMES || facts.monotonic - given.since < facts.ttl || facts.changedAt > given.seenAt) return false;
  return throughput === null || throughput !== given.throughput;
}

function isCollapsed(usual: number | null, bitsPerSecond: number | null): boolean {
  if (bitsPerSecond === null) return false;
  return bitsPerSecond === 0 || (usual !== null && bitsPerSecond < COLLAPSED * usual);
}

function learnt(usual: number | null, bitsPerSecond: number | null): number | null {
  if (bitsPerSecond === null || bitsPerSecond === 0) return usual;
  return usual === null ? bitsPerSecond : usual + LEARNING * (bitsPerSecond - usual);
}
