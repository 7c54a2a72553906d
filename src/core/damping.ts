/**
 * Pure: keeps a service that flaps away until it has been well for a while. A first outage costs nothing. The next one within `window`
 * does: the service then has to be well for `base`, twice as long after a third, up to `cap`. Times are those of a monotonic clock.
 */
export interface DampingPolicy {
  readonly window: number;
  /** 0: no damping. */
  readonly base: number;
  readonly cap: number;
}

export interface Damping {
  /** Outages that count; each window that passed well has taken one back by the next outage. */
  readonly outages: number;
  /** When it was last seen ill; null: never. */
  readonly illAt: number | null;
  /** Until when it has to be well before it returns; null: it may return at once. */
  readonly until: number | null;
}

export const UNDAMPED: Damping = { outages: 0, illAt: null, until: null };

/** Milliseconds for which a service has to be well after its `outages`-th outage. */
export function holdFor(outages: number, { base, cap }: DampingPolicy): number {
  return outages < 2 ? 0 : Math.min(cap, base * 2 ** (outages - 2));
}

/** The service was seen ill; `falls`: it was well until now. An outage that begins during a hold counts like any other. */
export function ill(damping: Damping, falls: boolean, policy: DampingPolicy, at: number): Damping {
  const outages = falls ? Math.min(counted(damping, policy, at) + 1, most(policy)) : damping.outages;
  const hold = holdFor(outages, policy);
  return { outages, illAt: at, until: hold === 0 ? null : at + hold };
}

/** True while the service has to stay away, however well it is. */
export function isHeld({ until }: Damping, at: number): boolean {
  return until !== null && at < until;
}

/** The service has returned. */
export function released(damping: Damping): Damping {
  return damping.until === null ? damping : { ...damping, until: null };
}

function counted({ outages, illAt }: Damping, { window }: DampingPolicy, at: number): number {
  return illAt === null ? 0 : Math.max(0, outages - Math.floor((at - illAt) / window));
}

/** No more outages are counted than it takes to be held for `cap`: a long bad night is forgotten as soon as a short one. */
function most({ base, cap }: DampingPolicy): number {
  return base === 0 ? 1 : 2 + Math.ceil(Math.log2(Math.max(1, cap / base)));
}
