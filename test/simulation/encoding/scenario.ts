/** What happens in a simulated stretch of time: when jobs come, which are broken, what befalls the accounts. All of it follows from the seed. */
import type { Random } from "../../../src/core/clock.ts";
import { seededRandom } from "../../fakes/clock.ts";
import type { Span } from "./simulatedAccount.ts";

export const ACCOUNTS = ["west", "north", "east"] as const;
export type AccountName = (typeof ACCOUNTS)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const START = Date.UTC(2026, 0, 5);

export interface Arrival {
  readonly at: number;
  readonly clientId: string;
  readonly url: string;
}

export interface Scenario {
  readonly seed: number;
  readonly lengthMs: number;
  readonly arrivals: readonly Arrival[];
  readonly lossAt: number;
  readonly outages: Readonly<Record<AccountName, readonly Span[]>>;
  readonly jams: Readonly<Record<AccountName, readonly Span[]>>;
  readonly kills: readonly number[];
  readonly capacity: number;
  readonly eventsLost: number;
  readonly eventsDoubled: number;
}

export interface ScenarioSize {
  readonly seed: number;
  readonly jobs: number;
  readonly days: number;
}

/** Jobs that come together just before the region is lost, so that there is something to move. */
const BURST = 60;
const BAD_SHARE = 0.03;

export function scenarioOf({ seed, jobs, days }: ScenarioSize): Scenario {
  const random = seededRandom(seed);
  const lengthMs = days * DAY;
  // In the first third, so that everything has time to mend.
  const lossAt = START + lengthMs * (0.15 + random.next() * 0.15);
  const outage: Span = [lossAt, lossAt + 6 * HOUR];
  // The other begins to be slow while the first is away.
  const jamAt = lossAt + 2 * HOUR + random.next() * 2 * HOUR;
  const jam: Span = [jamAt, jamAt + 8 * HOUR];
  const kills = Array.from({ length: days * 24 }, () => START + random.next() * lengthMs);
  return {
    seed,
    lengthMs,
    arrivals: arrivals({ random, jobs, lengthMs, lossAt }),
    lossAt,
    outages: { west: [outage], north: [], east: [] },
    jams: { west: [], north: [jam], east: [] },
    // One of them in the middle of the move.
    kills: [...kills, lossAt + 3 * MINUTE].toSorted((one, other) => one - other),
    capacity: 40,
    eventsLost: 0.05,
    eventsDoubled: 0.05,
  };
}

interface ArrivalsOptions {
  readonly random: Random;
  readonly jobs: number;
  readonly lengthMs: number;
  readonly lossAt: number;
}

/** More by day than by night. */
function arrivals({ random, jobs, lengthMs, lossAt }: ArrivalsOptions): Arrival[] {
  const burst = Math.min(BURST, jobs);
  const times = [
    ...Array.from({ length: jobs - burst }, () => START + drawTime(random, lengthMs)),
    ...Array.from({ length: burst }, () => lossAt - random.next() * 5 * MINUTE),
  ];
  return times
    .toSorted((one, other) => one - other)
    .map((at, index) => {
      const kind = random.next() < BAD_SHARE ? "bad" : "good";
      return { at, clientId: `client-${index}`, url: `https://in.example/${kind}/${Math.round(durationOf(random))}/${index}` };
    });
}

function drawTime(random: Random, lengthMs: number): number {
  for (;;) {
    const at = random.next() * lengthMs * 0.97;
    const hour = (at % DAY) / HOUR;
    if (random.next() < 0.55 - 0.45 * Math.cos(((hour - 2) / 24) * 2 * Math.PI)) return at;
  }
}

/** A few minutes mostly, seldom an hour. */
function durationOf(random: Random): number {
  return Math.min(60 * MINUTE, (2 + 6 * -Math.log(1 - random.next())) * MINUTE);
}

export function isBadInput(url: string): boolean {
  return url.includes("/bad/");
}

export function encodingTime(url: string): number {
  return Number(url.split("/").at(-2));
}
