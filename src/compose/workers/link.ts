/** The worker's end of the channel to the process that started it. */
import type { FromWorker, ToWorker } from "./messages.ts";

export interface WorkerLink {
  send(message: FromWorker): void;
  /** Tells every message from now on. */
  listen(hear: (message: ToWorker) => void): void;
  /** Aborts when the other process has gone. */
  readonly orphaned: AbortSignal;
  /** Lets go of the other process: an open channel keeps this one from ending. */
  close(): void;
}

/** Null where this process was not started as a worker. */
export function workerLink(): WorkerLink | null {
  if (process.send === undefined) return null;
  const orphaned = new AbortController();
  process.once("disconnect", () => {
    orphaned.abort();
  });
  return {
    send: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    listen: (hear) => {
      process.on("message", (message) => {
        hear(message as ToWorker);
      });
    },
    orphaned: orphaned.signal,
    close: () => {
      if (process.connected) process.disconnect?.();
    },
  };
}
