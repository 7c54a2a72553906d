/** `paircast dead-letters`: work that no worker could finish, and how it is tried again. */
import { openOperations, type Operations } from "../compose/operations.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { DeadLetter, WorkQueue } from "../core/ports/work.ts";
import { pieceOf } from "../replicator/work/piece.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { counted, spanText } from "./figures.ts";
import type { Terminal } from "./terminal.ts";

interface Common {
  readonly config: string;
  readonly json: boolean;
}

/** The exit code: 1 where there are any. */
export async function listDeadLetters(terminal: Terminal, { config, limit, json }: Common & { readonly limit: number }): Promise<number> {
  await using operations = await openOperations(loadConfig(config));
  await using queue = await openQueue(operations, config);
  const found = await queue.deadLetters(limit + 1);
  const letters = found.slice(0, limit).map((letter) => ({ ...letter, body: scrub(letter.body), reason: scrub(letter.reason) }));
  const more = found.length > limit;
  if (json) terminal.print(JSON.stringify({ deadLetters: letters, more }));
  else {
    for (const letter of letters) terminal.print(line(letter, operations.clock.now()));
    terminal.print(
      letters.length === 0
        ? "no dead letters"
        : `${counted(letters.length, "dead letter")}${more ? "; there are more: --limit shows them" : ""}; \`paircast dead-letters replay\` tries them again`,
    );
  }
  return letters.length > 0 ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

/** `id` null: all that there are now. Throws `unknown_dead_letter`. The exit code: 0. */
export async function replayDeadLetters(
  terminal: Terminal,
  { config, id, json }: Common & { readonly id: string | null },
): Promise<number> {
  await using operations = await openOperations(loadConfig(config));
  await using queue = await openQueue(operations, config);
  if (id !== null && !(await queue.replay(id)))
    throw new PaircastError("unknown_dead_letter", `${id}: no dead letter has this id; see \`paircast dead-letters\``);
  const replayed = id === null ? await replayAll(queue, terminal.stop) : 1;
  const text = `${counted(replayed, "piece")} of work put back: the next free worker takes ${replayed === 1 ? "it" : "them"}`;
  terminal.print(json ? JSON.stringify({ replayed }) : replayed === 0 ? "no dead letters" : text);
  return EXIT_CODES.ok;
}

const PAGE = 500;

/** A worker may bury again what was just put back: none is put back twice. */
async function replayAll(queue: WorkQueue, stop: AbortSignal): Promise<number> {
  const tried = new Set<string>();
  let replayed = 0;
  for (;;) {
    const letters = (await queue.deadLetters(PAGE)).filter(({ id, body }) => !tried.has(id) && !tried.has(body));
    if (letters.length === 0) return replayed;
    for (const { id, body } of letters) {
      stop.throwIfAborted();
      tried.add(id).add(body);
      if (await queue.replay(id)) replayed += 1;
    }
  }
}

async function openQueue({ openWork }: Operations, config: string): Promise<WorkQueue> {
  if (openWork !== null) return openWork();
  throw new PaircastError("no_queue", `${config}: state.tables is shared and state.queues is not set, so there is no queue of work`);
}

function line({ id, body, takes, reason, putAt }: DeadLetter, now: number): string {
  return `${id}  ${workText(body)}, ${spanText(now - putAt)} old, taken ${counted(takes, "time")}: ${reason}`;
}

function workText(body: string): string {
  try {
    const { region, asset, target } = pieceOf(body);
    return target === null ? `look at ${asset} of ${region}` : `${asset}: ${region} -> ${target}`;
  } catch {
    return `work that this release does not know (${body.slice(0, 80)})`;
  }
}
