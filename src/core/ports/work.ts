/** A piece of work in the hands of one worker. */
export interface WorkItem {
  readonly id: string;
  readonly body: string;
  /** How many times it has been taken, this time included. Who took it later has the greater number. */
  readonly takes: number;
  /** What the queue knows this very take by. Opaque, and replaced by `renew`. */
  readonly receipt: string;
}

/** A piece of work that nobody could finish. */
export interface DeadLetter {
  readonly id: string;
  readonly body: string;
  readonly takes: number;
  /** One sentence for people. */
  readonly reason: string;
  /** When the work was put into the queue. */
  readonly putAt: number;
}

/**
 * Hands out work to many workers, each piece to one of them at a time, in no promised order.
 * - `put` keeps any text of at most 48 KiB in UTF-8, for up to seven days hidden by `delayMs`; more fails with `work_too_large`, or
 *   `work_too_late`. What was put survives a crash, and may in rare cases be given out twice although it was completed: work is done such that
 *   doing it again is harmless.
 * - `take` gives a piece that is not hidden and hides it for `leaseMs` (an implementation may round up to whole seconds), or null where there is none.
 *   The lease ends by itself, so that the work of a worker that died is given to another.
 * - `renew` hides it for `leaseMs` from now, and gives the item to go on with. `complete` removes it. `release` gives it back, hidden for `delayMs`.
 *   `bury` puts it among the dead letters.
 * - These four throw `lease_lost` (retry class `retry`) when somebody else has taken the piece meanwhile, or it is gone: what the worker does
 *   then must not count any more. A lease that merely ran out is still the worker's. What a worker writes elsewhere is fenced there: a catalogue
 *   entry by the lease of its job (`Fence`).
 * - A piece that was taken `maxTakes` times (a setting of the queue) and neither completed nor buried is not given out again: the next `take` buries it.
 * - `pending` says about how many pieces there are that are neither completed nor buried, hidden ones too.
 * - `deadLetters` lists those that were put last first, at most `limit`. `replay` puts one back as new, once, and says whether it was there.
 */
export interface WorkQueue extends AsyncDisposable {
  put(body: string, delayMs?: number): Promise<void>;
  take(leaseMs: number): Promise<WorkItem | null>;
  renew(item: WorkItem, leaseMs: number): Promise<WorkItem>;
  complete(item: WorkItem): Promise<void>;
  release(item: WorkItem, delayMs?: number): Promise<void>;
  bury(item: WorkItem, reason: string): Promise<void>;
  pending(): Promise<number>;
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  replay(id: string): Promise<boolean>;
}
