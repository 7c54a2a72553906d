/** Progress for programs: a JSON line for each event, as the log's lines are. */
import type { Clock } from "../core/clock.ts";
import { jobId } from "../replicator/job.ts";
import { ProgressBoard, type ProgressEvent, type TargetProgress } from "../replicator/progress.ts";
import type { ProgressView } from "./progressView.ts";
import type { Terminal } from "./terminal.ts";

/** Blobs come by the thousand: of one job a line at most so often. */
const COPIED_MS = 1_000;

export class ProgressLines implements ProgressView {
  readonly #terminal: Pick<Terminal, "note">;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #board = new ProgressBoard();
  readonly #said = new Map<string, number>();

  constructor(terminal: Pick<Terminal, "note">, clock: Pick<Clock, "now" | "monotonic">) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  readonly sink = (event: ProgressEvent): void => {
    const now = this.#clock.monotonic();
    const after = this.#board.add(event, now);
    const id = jobId(event);
    if (event.type === "done") this.#said.delete(id);
    // A library of which nothing has changed has nothing to say.
    if (event.type === "found" || (event.type === "done" && event.result === "unchanged")) return;
    if (event.type === "copied" && now - (this.#said.get(id) ?? Number.NEGATIVE_INFINITY) < COPIED_MS) return;
    if (event.type === "copied") this.#said.set(id, now);
    const { type, source, target, assetName, ...rest } = event;
    this.#say(`progress.${type}`, { source, target, asset: assetName, ...rest, ...figures(after) });
  };

  [Symbol.dispose](): void {
    for (const { target, ...progress } of this.#board.targets(this.#clock.monotonic()))
      this.#say("progress.end", { target, ...figures({ target, ...progress }) });
  }

  #say(event: string, fields: object): void {
    this.#terminal.note(JSON.stringify({ level: "info", time: new Date(this.#clock.now()).toISOString(), ...fields, event }));
  }
}

function figures({ found, done, wrong, plannedBytes, copiedBytes, rate, leftMs }: TargetProgress): object {
  return {
    found,
    done,
    wrong,
    plannedBytes,
    copiedBytes,
    bytesPerSecond: Math.round(rate),
    leftMs: leftMs === null ? null : Math.round(leftMs),
  };
}
