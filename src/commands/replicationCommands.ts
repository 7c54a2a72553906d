/** The arguments of `plan`, `conflicts` and `dead-letters`. */
import { InvalidArgumentError, type Command } from "commander";
import type { Terminal } from "./terminal.ts";

const CONFIG = ["-c, --config <file>", "configuration file", "paircast.yaml"] as const;
const JSON_OUTPUT = ["--json", "print JSON instead of text"] as const;
const LIMIT = ["--limit <n>", "at most this many", wholeNumber, 100] as const;

interface Common {
  readonly config: string;
  readonly json?: boolean;
}

/** `exit` is given the exit code. */
export function addReplicationCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  addPlan(program, terminal, exit);
  addConflicts(program, terminal, exit);
  addDeadLetters(program, terminal, exit);
}

interface PlanArguments extends Common {
  readonly asset?: string;
  readonly changed?: boolean;
  readonly acceptWithdrawals?: boolean;
  readonly recreate?: boolean;
}

function addPlan(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("plan")
    .description(
      "what `replicate` with the same options would do now: blobs with their bytes, what is created, changed or deleted, conflicts; changes nothing",
    )
    .option(...CONFIG)
    .option("--asset <name>", "only this asset")
    .option("--changed", "only what lists and catalogue show to have changed")
    .option("--accept-withdrawals", "believe a source that has unpublished most of its videos at once")
    .option("--recreate", "locators and streaming policies of targets that differ would be deleted and created anew")
    .option(...JSON_OUTPUT)
    .action(async (options: PlanArguments) => {
      const { plan } = await import("./plan.ts");
      const { config, asset = null, changed = false, acceptWithdrawals = false, recreate = false, json = false } = options;
      exit(await plan(terminal, { config, asset, changed, acceptWithdrawals, recreate, json }));
    });
}

function addConflicts(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("conflicts")
    .description("what replication refuses to overwrite: both sides, and what you can do. Exit code: 1 where there are any")
    .option(...CONFIG)
    .option(...LIMIT)
    .option(...JSON_OUTPUT)
    .action(async ({ config, limit, json = false }: Common & { limit: number }) => {
      const { conflicts } = await import("./conflicts.ts");
      exit(await conflicts(terminal, { config, limit, json }));
    });
}

function addDeadLetters(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const letters = program.command("dead-letters").description("work that no worker could finish");
  letters
    .command("list", { isDefault: true })
    .description("what it is, how often it was tried, and why it failed. Exit code: 1 where there are any")
    .option(...CONFIG)
    .option(...LIMIT)
    .option(...JSON_OUTPUT)
    .action(async ({ config, limit, json = false }: Common & { limit: number }) => {
      const { listDeadLetters } = await import("./deadLetters.ts");
      exit(await listDeadLetters(terminal, { config, limit, json }));
    });
  letters
    .command("replay")
    .description("put one back into the queue as new, or all")
    .argument("[id]", "of the list")
    .option("--all", "all that there are now")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async (id: string | undefined, { config, all = false, json = false }: Common & { all?: boolean }, command: Command) => {
      if ((id === undefined) !== all) command.error("error: name the id of one, or add --all");
      const { replayDeadLetters } = await import("./deadLetters.ts");
      exit(await replayDeadLetters(terminal, { config, id: id ?? null, json }));
    });
}

const MOST = 10_000;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MOST) return value;
  throw new InvalidArgumentError(`write a whole number from 1 to ${MOST}`);
}
