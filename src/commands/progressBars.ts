/** Progress for people: a bar for each target. */
import type { DestinationStream } from "pino";
import { MultiBar, type SingleBar } from "cli-progress";
import type { Clock } from "../core/clock.ts";
import { ProgressBoard, type ProgressEvent, type TargetProgress } from "../replicator/progress.ts";
import { bytesText, counted, spanText } from "./figures.ts";
import type { ProgressView } from "./progressView.ts";

const WIDTH = 24;
const NAME = 16;

/** One line; the terminal cuts off what does not fit. */
export function barText({ target, found, done, wrong, plannedBytes, copiedBytes, share, rate, leftMs }: TargetProgress): string {
  const full = Math.floor(share * WIDTH);
  const of = plannedBytes > copiedBytes || done >= found ? ` of ${bytesText(plannedBytes)}` : "";
  const bytes = plannedBytes === 0 ? [] : [`${bytesText(copiedBytes)}${of}`, `${bytesText(rate)}/s`];
  const left = done >= found ? [] : [leftMs === null ? "time left unknown" : `${spanText(leftMs)} left`];
  const parts = [`${done}/${found} assets`, ...bytes, ...left, ...(wrong === 0 ? [] : [`${counted(wrong, "problem")}`])];
  return `${target.padEnd(NAME)} ${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${parts.join("  ")}`;
}

export class ProgressBars implements ProgressView {
  readonly #screen: NodeJS.WriteStream;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #board = new ProgressBoard();
  readonly #bars = new Map<string, SingleBar>();
  readonly #multi: MultiBar;
  #isOver = false;

  constructor(screen: NodeJS.WriteStream, clock: Pick<Clock, "monotonic">) {
    this.#screen = screen;
    this.#clock = clock;
    this.#multi = new MultiBar({
      stream: screen,
      fps: 5,
      // Signals are the command's: it ends the work first.
      gracefulExit: false,
      emptyOnZero: true,
      format: (_options, _params, payload: { progress: TargetProgress }) => barText(payload.progress),
    });
    // A second Ctrl-C ends the process at once.
    process.once("exit", this.#end);
  }

  readonly sink = (event: ProgressEvent): void => {
    if (this.#isOver) return;
    const progress = this.#board.add(event, this.#clock.monotonic());
    const bar = this.#bars.get(event.target);
    if (bar === undefined) this.#bars.set(event.target, this.#multi.create(1, progress.share, { progress }));
    else bar.update(progress.share, { progress });
  };

  /** Above the bars. */
  readonly log: DestinationStream = {
    write: (line: string): void => {
      if (this.#bars.size === 0 || this.#isOver) this.#screen.write(line);
      else this.#multi.log(line);
    },
  };

  [Symbol.dispose](): void {
    process.off("exit", this.#end);
    this.#end();
  }

  readonly #end = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#bars.size === 0) return;
    const now = this.#clock.monotonic();
    for (const progress of this.#board.targets(now)) this.#bars.get(progress.target)?.update(progress.share, { progress });
    // Stopping alone would lose what was logged last.
    this.#multi.update();
    this.#multi.stop();
  };
}
