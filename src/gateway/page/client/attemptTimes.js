// Pure: when a job and its attempts were where, for the time line. Times of accounts are by their own clocks: what contradicts ours is held within
// the attempt.

/**
 * @typedef {"waiting"|"handing"|"queued"|"scheduled"|"processing"|"after"} Phase
 * @typedef {{phase: Phase, from: number, to: number}} Stretch
 * @typedef {{placedAt: number, submittedAt: number|null, scheduledAt: number|null, processingAt: number|null, finalAt: number|null, end: string|null, endedAt: number|null}} Times
 * @typedef {{createdAt: number, finalAt: number|null, attempts: Times[]}} JobTimes
 */

/** Steps that people count in, from a second to a month. */
const STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000,
];
const MOST_TICKS = 5;
/** Live, or ended because its account was done with it: nothing goes on afterwards, whatever the account's clock says. @type {Set<string | null>} */
const WITH_ACCOUNT = new Set([null, "won", "failed"]);

/**
 * The axis that all attempts of a job share.
 * @param {JobTimes} job
 * @param {number} now
 * @returns {{from: number, to: number}}
 */
export function extentOf({ createdAt, finalAt, attempts }, now) {
  // What was read a moment later than `now` may have begun after it.
  const ends = attempts.flatMap((attempt) => [endOf(attempt, now), attempt.finalAt ?? createdAt]);
  return { from: createdAt, to: Math.max(createdAt + 1000, finalAt ?? now, ...ends) };
}

/**
 * What an attempt went through, in order and without gaps; `after` is what its account went on with when it did not count any more.
 * @param {Times} attempt
 * @param {number} now
 * @returns {Stretch[]}
 */
export function stretchesOf(attempt, now) {
  const end = endOf(attempt, now);
  const { placedAt, submittedAt, scheduledAt, processingAt, finalAt } = attempt;
  /** @type {[Phase, number | null][]} */
  const marks = [
    ["handing", placedAt],
    ["queued", submittedAt],
    ["scheduled", scheduledAt],
    ["processing", processingAt],
  ];
  let earliest = placedAt;
  /** @type {Stretch[]} */
  const begun = [];
  for (const [phase, at] of marks) {
    if (at === null) continue;
    earliest = Math.min(end, Math.max(earliest, at));
    begun.push({ phase, from: earliest, to: end });
  }
  const stretches = begun.map((stretch, at) => ({ ...stretch, to: begun[at + 1]?.from ?? end })).filter(({ from, to }) => to > from);
  if (finalAt !== null && finalAt > end && !WITH_ACCOUNT.has(attempt.end)) stretches.push({ phase: "after", from: end, to: finalAt });
  return stretches;
}

/**
 * When the attempt ended for its job.
 * @param {Times} attempt
 * @param {number} now
 */
export function endOf({ placedAt, end, endedAt, finalAt }, now) {
  return Math.max(placedAt, end === null ? now : (endedAt ?? finalAt ?? placedAt));
}

/**
 * When the job waited for an account.
 * @param {JobTimes} job
 * @param {number} now
 * @returns {Stretch[]}
 */
export function waitsOf({ createdAt, finalAt, attempts }, now) {
  const begins = [createdAt, ...attempts.map((attempt) => endOf(attempt, now))];
  const ends = [...attempts.map(({ placedAt }) => placedAt), finalAt ?? now];
  return begins.flatMap((from, at) => {
    const to = ends[at] ?? from;
    return to > from ? [{ phase: /** @type {const} */ ("waiting"), from, to }] : [];
  });
}

/**
 * Round times along the axis, at most five.
 * @param {{from: number, to: number}} extent
 * @param {number} [offsetMs] of the time zone: days begin where people live
 * @returns {number[]}
 */
export function ticksOf({ from, to }, offsetMs = 0) {
  const stepMs =
    1000 * (STEPS_S.find((seconds) => (to - from) / (seconds * 1000) <= MOST_TICKS) ?? Math.ceil((to - from) / MOST_TICKS / 1000));
  const first = Math.ceil((from + offsetMs) / stepMs) * stepMs - offsetMs;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / stepMs) + 1) }, (_, at) => first + at * stepMs).slice(0, MOST_TICKS);
}
