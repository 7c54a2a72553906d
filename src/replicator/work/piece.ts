/** Pieces of work as they lie in a queue: small, and harmless when they are done twice. Pure. */
import { PaircastError } from "../../core/errors.ts";

/** Look at an asset of a region, or carry what was found there to one target. */
export interface Piece {
  /** The region that publishes it. */
  readonly region: string;
  readonly asset: string;
  /** Null: look at it, and find out what there is to do. */
  readonly target: string | null;
  /** Lower-case ids of the locators to carry; empty to look. */
  readonly locators: readonly string[];
  /** Also what the catalogue has as verified is looked at again. */
  readonly full: boolean;
  /** When there was reason for it, epoch milliseconds: what was done since is done. */
  readonly at: number;
  /** How many more times to look where nothing is published (yet). */
  readonly again: number;
  /** How many times it was put off because its target was busy. */
  readonly delays: number;
}

export interface LookPiece extends Pick<Piece, "region" | "asset" | "at"> {
  readonly full?: boolean;
  readonly again?: number;
}

/** Layout of the text. */
const VERSION = 1;

export function lookPiece({ region, asset, at, full = false, again = 0 }: LookPiece): Piece {
  return { region, asset, target: null, locators: [], full, at, again, delays: 0 };
}

export function pieceText(piece: Piece): string {
  return JSON.stringify({ v: VERSION, ...piece });
}

/** Throws `work_malformed` (never) for what is no piece of work, or one of a later release. */
export function pieceOf(text: string): Piece {
  const fields = parsed(text);
  const { v, region, asset, target, locators, full, ...counts } = fields;
  const isKnown = v === VERSION && isName(region) && isName(asset) && isNames(locators) && typeof full === "boolean";
  if (!isKnown || !(target === null || isName(target))) throw malformed(text);
  return { region, asset, target, locators, full, ...countsOf(counts, text) };
}

function countsOf({ at, again, delays }: Readonly<Record<string, unknown>>, text: string): Pick<Piece, "at" | "again" | "delays"> {
  if (!isCount(at) || !isCount(again) || !isCount(delays)) throw malformed(text);
  return { at, again, delays };
}

function malformed(text: string): PaircastError {
  return new PaircastError("work_malformed", `work on ${text.slice(0, 200)}: this release knows no such work`);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isName);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
