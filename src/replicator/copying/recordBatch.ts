/**
 * Blobs that are proven, on their way into the journal: some at a time, as every write there waits for the disk or for a service. What a crash
 * takes with it is found equal by the next run, and adopted instead of copied.
 */
import type { Clock } from "../../core/clock.ts";
import type { BlobRecord, Journal } from "../../core/ports/journal.ts";

/** Records, and the time that the oldest may wait for more of them. */
const MOST = 64;
const LONGEST_MS = 500;

export class RecordBatch {
  readonly #journal: Pick<Journal, "recordBlobs">;
  readonly #jobId: string;
  readonly #clock: Pick<Clock, "monotonic">;
  #waiting: BlobRecord[] = [];
  #since = 0;

  constructor(journal: Pick<Journal, "recordBlobs">, jobId: string, clock: Pick<Clock, "monotonic">) {
    this.#journal = journal;
    this.#jobId = jobId;
    this.#clock = clock;
  }

  async add(record: BlobRecord): Promise<void> {
    if (this.#waiting.length === 0) this.#since = this.#clock.monotonic();
    this.#waiting.push(record);
    if (this.#waiting.length >= MOST || this.#clock.monotonic() - this.#since >= LONGEST_MS) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) await this.#journal.recordBlobs(this.#jobId, batch);
  }
}
