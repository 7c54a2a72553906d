/** One after the other, the next one early where the last takes long: how a manifest is had although a region fails. */
import type { Clock } from "../../core/clock.ts";
import type { Fetched } from "./fetchManifest.ts";

export interface Attempts {
  /** The next region to ask, null where there is none; each is given once. */
  readonly next: () => string | null;
  readonly ask: (region: string) => Promise<Fetched>;
  /** Whether a manifest will do, or others are to be asked for a better one. */
  readonly suits: (fetched: Fetched) => boolean;
  readonly clock: Clock;
  /** Milliseconds after which a region that has not answered gets company; 0: never. */
  readonly hedgeMs: number;
}

interface Answered {
  readonly attempt: Promise<Answered>;
  readonly fetched: Fetched;
}

/** The first answer that suits, or all that came in their order. Those that are under way then go on by themselves: health hears of them. */
export async function attempted(attempts: Attempts): Promise<readonly Fetched[]> {
  const { next, ask, suits, clock, hedgeMs } = attempts;
  const running = new Set<Promise<Answered>>();
  const answers: Fetched[] = [];
  const start = (): boolean => {
    const region = next();
    if (region === null) return false;
    const attempt: Promise<Answered> = ask(region).then((fetched) => ({ attempt, fetched }));
    running.add(attempt);
    return true;
  };
  let more = start();
  while (running.size > 0) {
    const answered = await firstOf(running, clock, more ? hedgeMs : 0);
    if (answered !== null) {
      running.delete(answered.attempt);
      answers.push(answered.fetched);
      if (suits(answered.fetched)) return [answered.fetched];
    }
    if (more) more = start();
  }
  return answers;
}

/** Null where nobody has answered by then. */
async function firstOf(running: ReadonlySet<Promise<Answered>>, clock: Clock, waitMs: number): Promise<Answered | null> {
  if (waitMs === 0) return Promise.race(running);
  const enough = new AbortController();
  const waited = clock.sleep(waitMs, enough.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([...running, waited]);
  } finally {
    enough.abort();
  }
}
