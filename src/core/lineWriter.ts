/**
 * Finished log lines on their way to a file descriptor: gathered, so that a request costs a copy of its line and not a system call, and bounded,
 * so that a reader who does not keep up costs lines and not memory.
 */
import { write, writeSync } from "node:fs";
import { systemClock, type Clock } from "./clock.ts";

export interface LineWriterOptions {
  readonly fd: number;
  /** What is written at once. */
  readonly chunkBytes: number;
  /** Chunks in memory; lines that find none are lost. */
  readonly chunks: number;
  readonly clock?: Clock;
}

/** How long a line may wait for others, in milliseconds. */
const LINGER_MS = 100;
/** A pipe that is full, and told node not to wait. */
const BUSY_MS = 50;
/** For a write of a few kilobytes that another thread has begun. */
const LAST_MS = 20;

interface Chunk {
  readonly bytes: Buffer;
  length: number;
}

export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #clock: Clock;
  readonly #free: Chunk[] = [];
  /** Full ones, the oldest first; the first is being written. */
  readonly #queue: Chunk[] = [];
  #made = 0;
  #filling: Chunk | null = null;
  #writing = false;
  #beginning = false;
  #lingering = false;
  #dropped = 0;

  constructor(options: LineWriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Lines that were lost. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `line` is ASCII, shorter than a chunk, and ends with a line feed. */
  addAscii(line: string): void {
    const chunk = this.#chunkFor(line.length);
    if (chunk === null) this.#dropped += 1;
    else chunk.length += chunk.bytes.write(line, chunk.length, "latin1");
    if (!this.#lingering) void this.#linger();
  }

  /** Any line, with its line feed. */
  add(line: string): void {
    const bytes = Buffer.from(line);
    if (bytes.length > this.#options.chunkBytes) this.#addLong(bytes);
    else {
      const chunk = this.#chunkFor(bytes.length);
      if (chunk === null) this.#dropped += 1;
      else chunk.length += bytes.copy(chunk.bytes, chunk.length);
    }
    if (!this.#lingering) void this.#linger();
  }

  /** Begins to write what there is. */
  flush(): void {
    if (this.#filling === null) return;
    this.#queue.push(this.#filling);
    this.#filling = null;
    this.#begin();
  }

  /** Writes what there is before it returns, for the end of the process. What is being written already is given a moment to come first. */
  flushSync(): void {
    this.flush();
    if (this.#writing) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_MS);
    for (const { bytes, length } of this.#queue.splice(this.#writing ? 1 : 0)) {
      try {
        for (let from = 0; from < length;) from += writeSync(this.#options.fd, bytes, from, length - from);
      } catch {
        return;
      }
    }
  }

  /** The chunk with room for so many bytes; null where all are waiting to be written. */
  #chunkFor(bytes: number): Chunk | null {
    if (this.#filling !== null && this.#filling.length + bytes > this.#options.chunkBytes) this.flush();
    this.#filling ??= this.#chunk();
    return this.#filling;
  }

  /** A chunk of its own, in place of one of those that there may be. */
  #addLong(bytes: Buffer): void {
    this.flush();
    if (this.#queue.length >= this.#options.chunks) this.#dropped += 1;
    else this.#queue.push({ bytes, length: bytes.length });
    this.#begin();
  }

  /** Not in this turn: a process that ends in it writes everything itself, in its order. */
  #begin(): void {
    if (this.#writing || this.#beginning) return;
    this.#beginning = true;
    queueMicrotask(() => {
      this.#beginning = false;
      if (!this.#writing) this.#writeNext(0);
    });
  }

  #chunk(): Chunk | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made >= this.#options.chunks) return null;
    this.#made += 1;
    return { bytes: Buffer.allocUnsafeSlow(this.#options.chunkBytes), length: 0 };
  }

  async #linger(): Promise<void> {
    this.#lingering = true;
    await this.#clock.sleep(LINGER_MS);
    this.#lingering = false;
    this.flush();
  }

  #writeNext(from: number): void {
    const [chunk] = this.#queue;
    this.#writing = chunk !== undefined;
    if (chunk === undefined) return;
    write(this.#options.fd, chunk.bytes, from, chunk.length - from, null, (error, written) => {
      if (error === null && from + written < chunk.length) this.#writeNext(from + written);
      else if (error?.code === "EAGAIN")
        void this.#clock.sleep(BUSY_MS).then(() => {
          this.#writeNext(from);
        });
      else this.#done(chunk, error !== null);
    });
  }

  #done(chunk: Chunk, failed: boolean): void {
    if (failed) this.#dropped += linesIn(chunk);
    this.#queue.shift();
    chunk.length = 0;
    if (chunk.bytes.length === this.#options.chunkBytes) this.#free.push(chunk);
    this.#writeNext(0);
  }
}

function linesIn({ bytes, length }: Chunk): number {
  let count = 0;
  for (let at = bytes.indexOf("\n"); at >= 0 && at < length; at = bytes.indexOf("\n", at + 1)) count += 1;
  return count;
}
