/** The arguments of `verify`, `rebuild`, `keys`, `deletions`, `export` and `import`. */
import { InvalidArgumentError, type Command } from "commander";
import { CONFIG, JSON_OUTPUT, type FileOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import type { Level } from "./verify.ts";

/** `exit` is given the exit code. */
export function addLibraryCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  addVerify(program, terminal, exit);
  addRebuild(program, terminal, exit);
  addKeys(program, terminal, exit);
  addDeletions(program, terminal, exit);
  addArchive(program, terminal, exit);
}

interface VerifyArguments extends FileOptions {
  readonly asset?: string;
  readonly sample: number;
  readonly level?: readonly Level[];
  readonly repair?: boolean;
  readonly dryRun?: boolean;
}

function addVerify(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("verify")
    .description(
      "look again at copies that serve; what must not serve is taken out of service. Exit code: 0 good, 1 something is wrong, 3 not all could be told",
    )
    .option(...CONFIG)
    .option("--asset <name>", "only this asset")
    .option("--sample <share>", "only this share of the copies, those that have waited longest: 1%", share, 1)
    .option("--level <levels>", "properties, content, full (every byte), playback, or several with commas; default: as configured", levels)
    .option("--repair", "copy again what is damaged, and carry what is missing or out of date")
    .option("--dry-run", "only look: take nothing out of service, remember nothing")
    .option(...JSON_OUTPUT)
    .action(async (options: VerifyArguments) => {
      const { verify } = await import("./verify.ts");
      const { config, asset = null, sample, level = null, repair = false, dryRun = false, json = false } = options;
      exit(await verify(terminal, { config, asset, share: sample, levels: level, repair, dryRun, json }));
    });
}

function share(text: string): number {
  const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new InvalidArgumentError("write a share above 0% and at most 100%");
}

const LEVELS: readonly string[] = ["properties", "content", "full", "playback"] satisfies readonly Level[];

function levels(text: string): readonly Level[] {
  const named = text.split(",").map((name) => name.trim());
  if (named.every((name): name is Level => LEVELS.includes(name))) return named;
  throw new InvalidArgumentError(`write some of ${LEVELS.join(", ")}, with commas between them`);
}

interface RebuildArguments extends FileOptions {
  readonly from?: string;
  readonly filesInPlace?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

function addRebuild(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("rebuild")
    .description("give a region everything back that it has lost, under the same ids and keys; an interrupted run goes on")
    .argument("<region>", "name of a region whose account is empty, or lacks some of its content")
    .option(...CONFIG)
    .option(
      "--from <source>",
      "another region, or `record` for policies and locators from the record of keys; default: whichever region has it",
    )
    .option("--files-in-place", "take files that lie in the region's own containers as they are, where no other region has them")
    .option("--force", "also where the region lists everything that it should have")
    .option("--dry-run", "only say what would be done")
    .option(...JSON_OUTPUT)
    .action(async (region: string, options: RebuildArguments) => {
      const { rebuildCommand } = await import("./rebuild.ts");
      const { config, from = null, filesInPlace = false, force = false, dryRun = false, json = false } = options;
      exit(await rebuildCommand(terminal, { config, region, from, filesInPlace, force, dryRun, json }));
    });
}

function addKeys(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const keys = program.command("keys").description("the encrypted record of keys: what it holds, and under which master keys");
  keys
    .command("status")
    .description("which master keys records are encrypted under, which cannot be read, and which videos have none")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false }: FileOptions) => {
      const { keysStatus } = await import("./keys.ts");
      exit(await keysStatus(terminal, { config, json }));
    });
  keys
    .command("rotate")
    .description("encrypt under the newest master key what is under an older one; an interrupted run goes on")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false }: FileOptions) => {
      const { keysRotate } = await import("./keys.ts");
      exit(await keysRotate(terminal, { config, json }));
    });
  keys
    .command("prune")
    .description("remove the records of locators that the catalogue does not know any more")
    .option(...CONFIG)
    .option("--dry-run", "only say which")
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false, dryRun = false }: FileOptions & { dryRun?: boolean }) => {
      const { keysPrune } = await import("./keys.ts");
      exit(await keysPrune(terminal, { config, json, dryRun }));
    });
}

function addDeletions(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const deletions = program
    .command("deletions")
    .description(
      "copies whose source does not publish them any more: the list to review. Exit code: 1 where something waits for an operator",
    );
  deletions
    .command("list", { isDefault: true })
    .description("what is to be deleted when, and why; no region is asked")
    .option(...CONFIG)
    .option("--all", "and what was deleted in the last 90 days")
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false, all = false }: FileOptions & { all?: boolean }) => {
      const { deletionsList } = await import("./deletions.ts");
      exit(await deletionsList(terminal, { config, json, all }));
    });
  for (const [name, word, description] of WORDS)
    deletions
      .command(name)
      .description(description)
      .argument("<names...>", "assets, locator ids, or TARGET/LOCATOR-ID")
      .option(...CONFIG)
      .option(...JSON_OUTPUT)
      .action(async (names: readonly string[], { config, json = false }: FileOptions) => {
        const { deletionsSay } = await import("./deletions.ts");
        exit(await deletionsSay(terminal, { config, json, names, word }));
      });
  deletions
    .command("run")
    .description("one round now, as `serve` does them: what is due is deleted")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false }: FileOptions) => {
      const { deletionsRun } = await import("./deletions.ts");
      exit(await deletionsRun(terminal, { config, json }));
    });
  deletions
    .command("orphans")
    .description("what lies in a target although no source has it and the catalogue does not know it; nothing of it is ever deleted")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false }: FileOptions) => {
      const { deletionsOrphans } = await import("./deletions.ts");
      exit(await deletionsOrphans(terminal, { config, json }));
    });
}

const WORDS = [
  ["approve", "approve", "they are meant: deleted after the grace period, within the limit"],
  ["keep", "keep", "they stay in their targets, whatever their source does"],
  ["unsay", null, "take back what was said: the rules of the configuration hold again"],
] as const;

function addArchive(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("export")
    .description("write the catalogue into a file, one JSON line for each video")
    .argument("<file>", "replaced when it is complete")
    .option(...CONFIG)
    .option("--with-keys", "and the record of keys, encrypted as it is")
    .option(...JSON_OUTPUT)
    .action(async (file: string, { config, json = false, withKeys = false }: FileOptions & { withKeys?: boolean }) => {
      const { exportCommand } = await import("./archive.ts");
      exit(await exportCommand(terminal, { config, file, withKeys, json }));
    });
  program
    .command("import")
    .description("take the catalogue of a file over; what is newer here stays")
    .argument("<file>", "written by `export`")
    .option(...CONFIG)
    .option("--trust", "copies that were verified where the file was written serve at once, without being verified again")
    .option("--overwrite", "also over entries that are newer here")
    .option(...JSON_OUTPUT)
    .action(async (file: string, options: FileOptions & { trust?: boolean; overwrite?: boolean }) => {
      const { importCommand } = await import("./archive.ts");
      const { config, json = false, trust = false, overwrite = false } = options;
      exit(await importCommand(terminal, { config, file, trust, overwrite, json }));
    });
}
