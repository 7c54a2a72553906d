/** The arguments of `replicate`, `plan`, `conflicts` and `dead-letters`. */
import type { Command } from "commander";
import { CONFIG, JSON_OUTPUT, wholeNumber, type FileOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const LIMIT = ["--limit <n>", "at most this many", wholeNumber(10_000), 100] as const;

/** `exit` is given the exit code. */
export function addReplicationCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  addReplicate(program, terminal, exit);
  addPlan(program, terminal, exit);
  addConflicts(program, terminal, exit);
  addDeadLetters(program, terminal, exit);
}

interface PlanArguments extends FileOptions {
  readonly asset?: string;
  readonly changed?: boolean;
  readonly acceptWithdrawals?: boolean;
  readonly recreate?: boolean;
}

interface ReplicateArguments extends PlanArguments {
  readonly follow?: boolean;
}

function addReplicate(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("replicate")
    .description("replicate all assets, or one; a second run changes nothing")
    .option(...CONFIG)
    .option("--asset <name>", "only this asset")
    .option("--changed", "only what lists and catalogue show to have changed; else everything is looked at again")
    .option("--follow", "go on until stopped, sharing the work with every process on the same state")
    .option("--accept-withdrawals", "believe a source that has unpublished most of its videos at once")
    .option("--recreate", "delete locators and streaming policies of targets that differ, and create them anew")
    .option(...JSON_OUTPUT)
    .action(async (options: ReplicateArguments) => {
      const { replicate } = await import("./replicate.ts");
      const { config, asset = null, acceptWithdrawals = false, recreate = false, changed = false, follow = false, json = false } = options;
      exit(await replicate(terminal, { config, asset, acceptWithdrawals, recreate, changed, follow, json }));
    });
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
    .action(async ({ config, limit, json = false }: FileOptions & { limit: number }) => {
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
    .action(async ({ config, limit, json = false }: FileOptions & { limit: number }) => {
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
    .action(async (id: string | undefined, { config, all = false, json = false }: FileOptions & { all?: boolean }, command: Command) => {
      if ((id === undefined) !== all) command.error("error: name the id of one, or add --all");
      const { replayDeadLetters } = await import("./deadLetters.ts");
      exit(await replayDeadLetters(terminal, { config, id: id ?? null, json }));
    });
}
