/** One worker process, as the one that started it sees it. */
import { fork, type ChildProcess } from "node:child_process";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type { FromWorker, MetricsDump, ToWorker } from "./messages.ts";

export interface WorkerEvents {
  readonly message: (message: FromWorker) => void;
  /** It has ended, for whatever reason. */
  readonly ended: (how: string) => void;
}

/** A worker that has not ended by itself so long after it was asked to is killed. */
const STOP_MS = 8_000;
const ANSWER_MS = 10_000;

type Answer = Extract<FromWorker, { readonly id: number }>;

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #started = Promise.withResolvers<string>();
  readonly #ended = Promise.withResolvers<void>();
  #questions = 0;
  /** What it had counted when it was last asked. */
  counted: MetricsDump = [];

  constructor(program: string, clock: Clock, events: WorkerEvents) {
    this.#clock = clock;
    this.#started.promise.catch(() => undefined);
    this.#child = fork(program, ["worker"], { stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" });
    this.#child.on("message", (message) => {
      this.#hear(message as FromWorker, events);
    });
    this.#child.on("error", (error) => {
      this.#over(error.message, events);
    });
    this.#child.on("exit", (code, signal) => {
      this.#over(signal === null ? `exit status ${code ?? 0}` : `signal ${signal}`, events);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves with the URL on which it listens. Rejects where it ends before. */
  async start(message: ToWorker & { readonly type: "start" }): Promise<string> {
    this.send(message);
    return this.#started.promise;
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Rejects where the worker refuses, or has no answer in time. */
  async reload(message: Omit<ToWorker & { readonly type: "reload" }, "id" | "type">): Promise<string> {
    const answer = await this.#ask((id) => ({ type: "reload", id, ...message }));
    if (answer.type === "refused") throw new PaircastError("worker_refused", answer.message);
    return answer.type === "reloaded" ? answer.url : "";
  }

  /** Null where the worker has ended meanwhile, or has no answer in time. */
  async metrics(): Promise<MetricsDump | null> {
    const answer = await this.#ask((id) => ({ type: "metrics", id })).catch(() => null);
    if (answer?.type !== "metrics") return null;
    this.counted = answer.metrics;
    return answer.metrics;
  }

  /** Graceful, then forced. */
  async stop(): Promise<void> {
    this.send({ type: "stop" });
    using late = this.#clock.deadline(STOP_MS);
    late.signal.addEventListener("abort", () => {
      this.#child.kill("SIGKILL");
    });
    await this.#ended.promise;
  }

  async #ask(question: (id: number) => ToWorker): Promise<Answer> {
    this.#questions += 1;
    const id = this.#questions;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    using late = this.#clock.deadline(ANSWER_MS);
    late.signal.addEventListener("abort", () => {
      waiting.reject(new PaircastError("worker_silent", `worker ${this.pid ?? 0} did not answer within ${ANSWER_MS} ms`));
    });
    this.send(question(id));
    try {
      return await waiting.promise;
    } finally {
      this.#waiting.delete(id);
    }
  }

  #hear(message: FromWorker, events: WorkerEvents): void {
    if (message.type === "started") this.#started.resolve(message.url);
    else if ("id" in message) this.#waiting.get(message.id)?.resolve(message);
    else events.message(message);
  }

  #over(how: string, events: WorkerEvents): void {
    const error = new PaircastError("worker_ended", `a worker ended (${how}); its log says why`);
    this.#started.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#ended.resolve();
    events.ended(how);
  }
}
