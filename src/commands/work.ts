/** `paircast work`: what waits in the queue of work, and what nobody could finish; puts that back. */
import { composeFoundations } from "../compose/foundations.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import type { DeadLetter, WorkQueue } from "../core/ports/work.ts";
import type { Terminal } from "./terminal.ts";

export interface WorkCommandOptions {
  readonly config: string;
  /** Id of a dead letter to put back, or `all`; null: none. */
  readonly replay: string | null;
  readonly json: boolean;
}

const SHOWN = 100;
const ALL = "all";

/** The exit code: 1 where there is something that nobody could finish, or no such letter. */
export async function work(terminal: Terminal, { config: file, replay, json }: WorkCommandOptions): Promise<number> {
  const config = loadConfig(file);
  const log = createLog(config.log.level);
  await using foundations = await composeFoundations({ config, version: terminal.version, log, routes: false });
  if (foundations.openWork === null)
    throw new PaircastError("no_queue", `${file}: machines share tables here and no queue, so there is no work in one; see state.queues`);
  await using queue = await foundations.openWork();
  const replayed = replay === null ? 0 : await putBack(queue, replay);
  const [pending, letters] = [await queue.pending(), await queue.deadLetters(SHOWN)];
  terminal.print(json ? JSON.stringify({ pending, replayed, deadLetters: letters }) : text(pending, replayed, letters));
  return letters.length > 0 ? 1 : 0;
}

async function putBack(queue: WorkQueue, replay: string): Promise<number> {
  if (replay !== ALL) {
    if (await queue.replay(replay)) return 1;
    throw new PaircastError("unknown_letter", `no dead letter has the id ${replay}: it was put back already, or there is a slip in it`);
  }
  let replayed = 0;
  // One that fails at once must not come round again: only those that are there now.
  for (const { id } of await queue.deadLetters(Number.MAX_SAFE_INTEGER)) if (await queue.replay(id)) replayed += 1;
  return replayed;
}

function text(pending: number, replayed: number, letters: readonly DeadLetter[]): string {
  return [
    ...(replayed === 0 ? [] : [`put back: ${replayed}`]),
    `waiting or under way: about ${pending}`,
    letters.length === 0 ? "nothing that nobody could finish" : "nobody could finish (put back with --replay ID, or --replay all):",
    ...letters.map(
      ({ id, body, takes, reason, putAt }) => `  ${id}  ${new Date(putAt).toISOString()}  taken ${takes} times  ${reason}\n      ${body}`,
    ),
  ].join("\n");
}
