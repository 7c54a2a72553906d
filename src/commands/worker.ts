/** `paircast worker`: one of the processes that `serve` starts where `gateway.workers` is above 1. Not for people. */
import { workerLink } from "../compose/workers/link.ts";
import { workUntilStopped } from "../compose/workers/worker.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import type { Terminal } from "./terminal.ts";

export async function worker(terminal: Terminal): Promise<void> {
  const link = workerLink();
  if (link === null) throw new PaircastError("not_a_worker", "workers are started by `paircast serve`: set gateway.workers");
  const log = createLog("info", undefined, { shared: true });
  try {
    await workUntilStopped({ link, log, version: terminal.version }, terminal.stop);
  } finally {
    link.close();
  }
}
