/** What jobs tell of themselves while they run, for whoever shows it, and what that comes to for each target. */
import type { JobResult as Outcome } from "../core/metrics.ts";
import { jobId, type JobIdentity } from "./job.ts";

/**
 * `found`: it will be done · `planned`: so much is to be copied · `copied`: a blob is there and verified, or so many bytes were read ·
 * `done`: it has ended. A job may be done without the others, and one that found everything equal is.
 */
export type ProgressEvent = JobIdentity &
  (
    | { readonly type: "found" }
    | { readonly type: "planned"; readonly blobs: number; readonly bytes: number }
    | { readonly type: "copied"; readonly bytes: number }
    | { readonly type: "done"; readonly result: Outcome }
  );

/** Called on the way of the work: it returns at once and never throws. */
export type ProgressSink = (event: ProgressEvent) => void;

/** What is known of one target at one moment. */
export interface TargetProgress {
  readonly target: string;
  readonly found: number;
  readonly done: number;
  /** Of those, jobs that failed or conflict. */
  readonly wrong: number;
  /** Of the jobs that were planned so far. */
  readonly plannedBytes: number;
  readonly copiedBytes: number;
  /** From 0 to 1: jobs that are done, and the share that is copied of those under way. It falls when more is found. */
  readonly share: number;
  /** Bytes per second, over about half a minute. */
  readonly rate: number;
  /** Null where nothing tells. */
  readonly leftMs: number | null;
}

const WINDOW_MS = 30_000;
const SAMPLE_MS = 1_000;

interface UnderWay {
  planned: number;
  copied: number;
}

class Target {
  readonly name: string;
  readonly #beganAt: number;
  /** Of jobs that are not done. */
  readonly #underWay = new Map<string, UnderWay>();
  readonly #samples: { readonly at: number; readonly bytes: number }[];
  #found = 0;
  #done = 0;
  #wrong = 0;
  #planned = 0;
  #copied = 0;

  constructor(name: string, now: number) {
    this.name = name;
    this.#beganAt = now;
    this.#samples = [{ at: now, bytes: 0 }];
  }

  add(event: ProgressEvent, now: number): void {
    const id = jobId(event);
    switch (event.type) {
      case "found":
        this.#found += 1;
        return;
      case "planned":
        this.#underWay.set(id, { planned: event.bytes, copied: 0 });
        this.#planned += event.bytes;
        return;
      case "copied":
        this.#copy(id, event.bytes, now);
        return;
      case "done":
        this.#underWay.delete(id);
        this.#done += 1;
        if (event.result === "failed" || event.result === "conflict") this.#wrong += 1;
    }
  }

  #copy(id: string, bytes: number, now: number): void {
    const job = this.#underWay.get(id);
    if (job !== undefined) job.copied += bytes;
    this.#copied += bytes;
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < SAMPLE_MS) return;
    this.#samples.push({ at: now, bytes: this.#copied });
    while (this.#samples.length > 2 && now - (this.#samples[1]?.at ?? now) > WINDOW_MS) this.#samples.shift();
  }

  at(now: number): TargetProgress {
    // What was done was found, if by nobody who said so.
    const found = Math.max(this.#found, this.#done + this.#underWay.size);
    const partly = [...this.#underWay.values()].reduce((sum, job) => sum + shareOf(job), 0);
    const share = found === 0 ? 0 : Math.min(1, (this.#done + partly) / found);
    const rate = this.#rate(now);
    const plannedBytes = Math.max(this.#planned, this.#copied);
    const byShare = share > 0 ? ((now - this.#beganAt) * (1 - share)) / share : null;
    const byBytes = rate > 0 ? ((plannedBytes - this.#copied) / rate) * 1000 : 0;
    return {
      target: this.name,
      found,
      done: this.#done,
      wrong: this.#wrong,
      plannedBytes,
      copiedBytes: this.#copied,
      share,
      rate,
      leftMs: byShare === null ? null : Math.max(byShare, byBytes),
    };
  }

  #rate(now: number): number {
    const [first] = this.#samples;
    if (first === undefined || now <= first.at) return 0;
    return ((this.#copied - first.bytes) / (now - first.at)) * 1000;
  }
}

function shareOf({ planned, copied }: UnderWay): number {
  return planned === 0 ? 0 : Math.min(1, copied / planned);
}

/** Adds events up. `now` is any monotonic time in milliseconds. Holds what is under way, not what is done. */
export class ProgressBoard {
  readonly #targets = new Map<string, Target>();

  add(event: ProgressEvent, now: number): TargetProgress {
    const target = this.#targets.get(event.target) ?? new Target(event.target, now);
    this.#targets.set(event.target, target);
    target.add(event, now);
    return target.at(now);
  }

  targets(now: number): readonly TargetProgress[] {
    return [...this.#targets.values()].map((target) => target.at(now));
  }
}
