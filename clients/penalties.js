// Pathways that failed, and for how long they stand behind the others. Pure: the time is passed in.

/**
 * @typedef {object} PenaltyOptions
 * @property {number} [penaltyMs] of a first failure; each further one doubles it; default 60 000
 * @property {number} [longestMs] default 300 000
 *
 * @typedef {{until: number, failedAt: number, strikes: number, outranked: boolean}} Penalty
 */

export class Penalties {
  /** @param {PenaltyOptions} [options] */
  constructor({ penaltyMs = 60_000, longestMs = 300_000 } = {}) {
    this.penaltyMs = penaltyMs;
    this.longestMs = longestMs;
    /** @type {Map<string, Penalty>} */
    this.penalties = new Map();
  }

  /**
   * Requests that were under way fail together: only the first of them counts as a strike.
   * @param {string} pathway
   * @param {number} now
   */
  failed(pathway, now) {
    const before = this.penalties.get(pathway);
    if (before !== undefined && now < before.until) {
      before.failedAt = now;
      return;
    }
    const strikes = before !== undefined && now - before.until < this.longestMs ? before.strikes + 1 : 0;
    const until = now + Math.min(this.penaltyMs * 2 ** strikes, this.longestMs);
    this.penalties.set(pathway, { until, failedAt: now, strikes, outranked: false });
  }

  /**
   * @param {string} pathway
   * @param {number} now
   */
  demoted(pathway, now) {
    const penalty = this.penalties.get(pathway);
    return penalty !== undefined && now < penalty.until;
  }

  /**
   * Pathways whose penalty has ended.
   * @param {number} now
   */
  forgiven(now) {
    return [...this.penalties.keys()].filter((pathway) => !this.demoted(pathway, now));
  }

  /**
   * The list with demoted pathways at its end, the one that failed longest ago first; none is left out.
   * @param {readonly string[]} pathways best first
   * @param {number} now
   * @returns {string[]}
   */
  order(pathways, now) {
    const failedAt = (/** @type {string} */ pathway) => this.penalties.get(pathway)?.failedAt ?? 0;
    const demoted = pathways.filter((pathway) => this.demoted(pathway, now));
    demoted.sort((one, other) => failedAt(one) - failedAt(other));
    return [...pathways.filter((pathway) => !this.demoted(pathway, now)), ...demoted];
  }

  /**
   * The gateway's word. A pathway that it has put behind another and now puts first has been looked at in between: its penalty ends.
   * Until the gateway has noticed the failure, its list says nothing.
   * @param {readonly string[]} priority as the steering manifest has it
   * @param {number} now
   */
  heard(priority, now) {
    const [first] = priority;
    for (const [pathway, penalty] of this.penalties) {
      if (now >= penalty.until) continue;
      if (pathway !== first) penalty.outranked = true;
      else if (penalty.outranked) penalty.until = now;
    }
  }

  /**
   * When the next penalty ends.
   * @param {number} now
   * @returns {number | null} null where none is running
   */
  nextEnd(now) {
    const ends = [...this.penalties.values()].map(({ until }) => until).filter((until) => until > now);
    return ends.length === 0 ? null : Math.min(...ends);
  }
}
