/**
 * Times as the management API writes them: UTC, trailing zeros cut. Two precisions occur: 100 ns where the value never went through the
 * service's database (replies to PUT, `systemData`), and SQL Server's `datetime` (steps of 1/300 s) where it did: 18:00:46.6019481 is read back as 18:00:46.603.
 */
import type { Clock, Random } from "../../core/clock.ts";

/** Epoch milliseconds, and the 100 ns steps (0 to 9999) within that millisecond. */
export interface Instant {
  readonly ms: number;
  readonly ticks: number;
}

/** When an entity was made and last changed. */
export interface Stamp {
  readonly created: Instant;
  readonly modified: Instant;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,7})\d*)?(Z|[+-]\d\d:\d\d)?)?$/;
const END_OF_TIME = Date.parse("9999-12-31T23:59:59.997Z");

/** Locators without an end time end here. */
export const NEVER: Instant = { ms: END_OF_TIME + 2, ticks: 9999 };

/** Now; the clock knows milliseconds, so the rest of the seven digits is drawn. */
export function instantNow(clock: Clock, random: Random): Instant {
  return { ms: clock.now(), ticks: 1 + Math.floor(random.next() * 9999) };
}

/** Null for what is not an ISO 8601 time or date. Times without a zone are UTC. */
export function parseTime(text: string): Instant | null {
  const match = TIME.exec(text);
  if (match === null) return null;
  const [, date = "", time = "00:00:00", fraction = "", zone = "Z"] = match;
  const seconds = Date.parse(`${date}T${time}${zone}`);
  if (Number.isNaN(seconds)) return null;
  const ticks = Number(fraction.padEnd(7, "0"));
  return { ms: seconds + Math.floor(ticks / 10_000), ticks: ticks % 10_000 };
}

/** Up to seven decimals. */
export function formatTicks({ ms, ticks }: Instant): string {
  return cutZeros(`${new Date(ms).toISOString().slice(0, -1)}${String(ticks).padStart(4, "0")}`);
}

/** Up to three decimals, rounded as SQL Server's `datetime` rounds. */
export function formatStored({ ms, ticks }: Instant): string {
  const second = Math.floor(ms / 1000) * 1000;
  const step = Math.round((ms - second + ticks / 10_000) * 0.3);
  const stored = Math.min(second + Math.round(step / 0.3), END_OF_TIME);
  return cutZeros(new Date(stored).toISOString().slice(0, -1));
}

/** A text of fixed length that sorts as the time does; null for what is not a time. */
export function sortableTime(text: string): string | null {
  const instant = parseTime(text);
  return instant === null ? null : `${new Date(instant.ms).toISOString().slice(0, -1)}${String(instant.ticks).padStart(4, "0")}`;
}

function cutZeros(text: string): string {
  const [whole = "", fraction = ""] = text.split(".");
  const kept = fraction.replace(/0+$/, "");
  return kept === "" ? `${whole}Z` : `${whole}.${kept}Z`;
}
