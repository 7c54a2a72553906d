/** How many places accounts have given away, and how many jobs are in each state: one row of the table, changed with each write. */
import { ENCODING_STATES, type EncodingState } from "../core/encoding.ts";
import type { Row, RowChange } from "../core/table.ts";
import { jsonValues, recordOf } from "../core/tableRows.ts";
import { placesChanged, placesFit } from "./placesTaken.ts";

export interface Totals {
  readonly places: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<EncodingState, number>>;
}

interface Counted {
  readonly state: EncodingState | null;
  readonly places: readonly string[];
}

const KEY = "totals";
const NONE: Totals = { places: {}, states: { waiting: 0, running: 0, finished: 0, failed: 0, canceled: 0 } };

export const TOTALS_KEY = KEY;

export function totalsOf(row: Row | null): Totals {
  return row === null ? NONE : (recordOf(row) as Totals);
}

/** Null where an account has no place left. */
export function counted(totals: Totals, before: Counted, after: Counted, capacity: Readonly<Record<string, number>>): Totals | null {
  const changes = placesChanged(before.places, after.places);
  if (!placesFit(changes, (account) => totals.places[account] ?? 0, capacity)) return null;
  const places = { ...totals.places };
  for (const [account, change] of changes) places[account] = (places[account] ?? 0) + change;
  if (before.state === after.state) return changes.size === 0 ? totals : { ...totals, places };
  const states = ENCODING_STATES.map((state) => {
    const change = Number(state === after.state) - Number(state === before.state);
    return [state, totals.states[state] + change] as const;
  });
  return { places, states: Object.fromEntries(states) as Record<EncodingState, number> };
}

/** Only while nobody else has counted. */
export function totalsChange(row: Row | null, totals: Totals): RowChange {
  const values = jsonValues(totals, "the totals of encoding");
  return row === null ? { type: "insert", key: KEY, values } : { type: "replace", key: KEY, values, etag: row.etag };
}
