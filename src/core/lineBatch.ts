/** Finished log lines on their way out: gathered, so that a request costs a copy of its line and not a system call. */
import { systemClock, type Clock } from "./clock.ts";

/** How long a line may wait for others, in milliseconds. */
const LINGER_MS = 100;

/** Holds at most one chunk. `write` gets whole lines, in a buffer that is its own from then on. */
export class LineBatch {
  readonly #write: (chunk: Uint8Array) => void;
  readonly #clock: Clock;
  readonly #bytes: number;
  #chunk: Buffer | null = null;
  #length = 0;
  #lingering = false;

  constructor(write: (chunk: Uint8Array) => void, bytes: number, clock: Clock = systemClock) {
    this.#write = write;
    this.#bytes = bytes;
    this.#clock = clock;
  }

  /** `line` is ASCII and ends with a line feed. */
  add(line: string): void {
    if (this.#length + line.length > this.#bytes) this.flush();
    this.#chunk ??= Buffer.allocUnsafeSlow(Math.max(this.#bytes, line.length));
    this.#length += this.#chunk.write(line, this.#length, "latin1");
    if (!this.#lingering) void this.#linger();
  }

  flush(): void {
    if (this.#chunk === null) return;
    const chunk = this.#chunk.subarray(0, this.#length);
    this.#chunk = null;
    this.#length = 0;
    this.#write(chunk);
  }

  async #linger(): Promise<void> {
    this.#lingering = true;
    await this.#clock.sleep(LINGER_MS);
    this.#lingering = false;
    this.flush();
  }
}
