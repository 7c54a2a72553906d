/** A constant load on one URL: requests start on time, whether or not those before them have been answered. */
import { Pool, type Dispatcher } from "undici";

/** Longer than any player waits for a key. */
const PATIENCE_MS = 5_000;
const TICK_MS = 4;

export interface LoadOptions {
  readonly url: string;
  readonly method: "GET" | "POST";
  /** Sent with POST. */
  readonly body: Buffer | null;
  readonly perSecond: number;
  /** The region that an answer sends to or comes from, null for an answer that is none; `length` is the body's. */
  readonly region: (answer: Dispatcher.ResponseData, length: number) => string | null;
}

export interface Shot {
  /** Start and end by `performance.now()`. */
  readonly at: number;
  readonly ended: number;
  /** Null where it failed. */
  readonly region: string | null;
}

export interface Load {
  readonly shots: readonly Shot[];
  /** Resolves when every request has ended. */
  stop(): Promise<void>;
}

export function startLoad(options: LoadOptions): Load {
  const { origin, pathname } = new URL(options.url);
  const pool = new Pool(origin, { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS, keepAliveTimeout: 10_000 });
  const shots: Shot[] = [];
  const running = new Set<Promise<void>>();
  const began = performance.now();
  let started = 0;
  const shoot = (): void => {
    const shot = one(pool, pathname, options).then((done) => {
      shots.push(done);
      running.delete(shot);
    });
    running.add(shot);
  };
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * options.perSecond; started < due; started += 1) shoot();
  }, TICK_MS);
  return {
    shots,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
      await pool.destroy();
    },
  };
}

async function one(pool: Pool, path: string, { method, body, region }: LoadOptions): Promise<Shot> {
  const at = performance.now();
  try {
    const answer = await pool.request({ path, method, body: method === "POST" ? body : null });
    const { byteLength } = await answer.body.arrayBuffer();
    return { at, ended: performance.now(), region: region(answer, byteLength) };
  } catch {
    return { at, ended: performance.now(), region: null };
  }
}
