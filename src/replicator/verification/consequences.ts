/** What follows from what a verification found: who must not serve, what is copied again, what only a person can decide. Pure. */
import type { CopyDamage, DamagedBlob } from "../../core/contracts.ts";
import type { BlobProblem } from "./blobVerdict.ts";

/**
 * Beside the blobs' problems:
 * - `entity_lost` a locator or policy is gone from the target · `entity_behind` the source's has changed, or a filter is gone
 * - `entity_conflict` the target has another one under the same name · `entity_differs` the same, and it plays as it did
 * - `playback` the region answers, and not with this video or its keys · `playback_doubtful` it answers with what cannot be played
 * - `source_entity` the source itself lacks what its locator names, or does not publish it any more · `source_keys` it has other keys than those catalogued
 */
export type ProblemKind =
  | BlobProblem
  | "entity_lost"
  | "entity_behind"
  | "entity_conflict"
  | "entity_differs"
  | "playback"
  | "playback_doubtful"
  | "source_entity"
  | "source_keys";

export interface Problem {
  readonly kind: ProblemKind;
  /** For people: `blob video.mp4`, `content key policy tokens`. */
  readonly what: string;
  readonly detail: string;
  readonly blob?: DamagedBlob;
  /** Set where it is about one locator and not about the whole asset. */
  readonly locatorId?: string;
}

interface Rule {
  /** Whose copy must not serve. `asked`: the one that was verified. */
  readonly withdraw: "asked" | "source" | null;
  /** What makes it good again without asking anybody: replication, which copies again what is known to be damaged. */
  readonly repair: boolean;
  /** Only the target lags: it serves what it was verified for. */
  readonly behind?: true;
}

const DAMAGE: Rule = { withdraw: "asked", repair: true };
const BEHIND: Rule = { withdraw: null, repair: true, behind: true };
const LABELS: Rule = { withdraw: null, repair: true };
const CONFLICT: Rule = { withdraw: "asked", repair: false };
const SOURCE: Rule = { withdraw: "source", repair: false };
const REPORT: Rule = { withdraw: null, repair: false };

const RULES: Readonly<Record<ProblemKind, Rule>> = {
  target_damaged: DAMAGE,
  target_missing: DAMAGE,
  target_properties: DAMAGE,
  target_labels: LABELS,
  target_rewritten: CONFLICT,
  target_archived: CONFLICT,
  source_damaged: SOURCE,
  source_missing: REPORT,
  source_rewritten: BEHIND,
  source_added: BEHIND,
  source_properties: BEHIND,
  source_archived: REPORT,
  source_unready: REPORT,
  undecided: CONFLICT,
  entity_lost: DAMAGE,
  entity_behind: BEHIND,
  entity_conflict: CONFLICT,
  entity_differs: REPORT,
  playback: DAMAGE,
  playback_doubtful: REPORT,
  source_entity: REPORT,
  source_keys: REPORT,
};

/** Of a catalogue entry; where there is more damage, all blobs are compared before the copy may serve again. */
const MOST_DAMAGED = 100;
const LONGEST_NAMES = 16_384;

export interface Consequences {
  /** For the copy that was verified, and for the source's own. */
  readonly asked: readonly Problem[];
  readonly source: readonly Problem[];
  /** Replication can mend something. False too where the source is not to be trusted: its damage must not spread. */
  readonly repair: boolean;
  /** Blobs that replication is to copy again although their copy serves on. */
  readonly relabel: readonly Problem[];
  /** Nothing but a copy that is not up to date. */
  readonly behind: boolean;
}

/** `isOriginal`: the copy that was verified is the source's own. */
export function consequences(problems: readonly Problem[], isOriginal: boolean): Consequences {
  const withRule = problems.map((problem) => ({ problem, rule: RULES[problem.kind] }));
  const those = (whose: Rule["withdraw"]): readonly Problem[] =>
    withRule.filter(({ rule }) => rule.withdraw === whose).map(({ problem }) => problem);
  const [asked, source] = [those("asked"), those("source")];
  const repair = !isOriginal && source.length === 0 && withRule.some(({ rule }) => rule.repair);
  return {
    asked: isOriginal ? [] : asked,
    source: isOriginal ? [...source, ...asked] : source,
    repair,
    relabel: problems.filter(({ kind }) => kind === "target_labels"),
    behind: problems.length > 0 && withRule.every(({ rule }) => rule.behind === true),
  };
}

/** What a withdrawn copy's entry remembers, so that nobody publishes it before that is mended; null where no blob is at fault. */
export function damageOf(problems: readonly Problem[]): CopyDamage | null {
  const blobs = problems.flatMap(({ blob }) => blob ?? []);
  if (blobs.length === 0) return null;
  let length = 0;
  const named = blobs.slice(0, MOST_DAMAGED).filter(({ name }) => (length += name.length) <= LONGEST_NAMES);
  return { blobs: named, more: named.length < blobs.length };
}

/** One sentence for people. */
export function problemsText(problems: readonly Problem[]): string {
  const named = problems.slice(0, 5).map(({ what, detail }) => `${what}: ${detail}`);
  return [...named, ...(problems.length > 5 ? [`and ${problems.length - 5} more`] : [])].join("; ");
}

/** Whose fault it is, for the metric. */
export function sideOf({ kind }: Problem): "source" | "target" | "unknown" {
  if (kind === "undecided") return "unknown";
  return kind.startsWith("source_") ? "source" : "target";
}

export type DamageClass = "content" | "missing" | "properties" | "rewritten" | "entity" | "playback" | "unreadable";

const CLASSES: Readonly<Record<ProblemKind, DamageClass>> = {
  target_damaged: "content",
  target_missing: "missing",
  target_properties: "properties",
  target_labels: "properties",
  target_rewritten: "rewritten",
  target_archived: "unreadable",
  source_damaged: "content",
  source_missing: "missing",
  source_rewritten: "rewritten",
  source_added: "missing",
  source_properties: "properties",
  source_archived: "unreadable",
  source_unready: "unreadable",
  undecided: "content",
  entity_lost: "entity",
  entity_behind: "entity",
  entity_conflict: "entity",
  entity_differs: "entity",
  playback: "playback",
  playback_doubtful: "playback",
  source_entity: "entity",
  source_keys: "entity",
};

export function classOf({ kind }: Problem): DamageClass {
  return CLASSES[kind];
}
