/** The arguments of `verify`, `rebuild`, `keys`, `export` and `import`. */
import { InvalidArgumentError, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import type { Level } from "./verify.ts";

const CONFIG = ["-c, --config <file>", "configuration file", "paircast.yaml"] as const;
const JSON_OUTPUT = ["--json", "print JSON instead of text"] as const;

interface Common {
  readonly config: string;
  readonly json?: boolean;
}

/** `exit` is given the exit code. */
export function addLibraryCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  addVerify(program, terminal, exit);
  addRebuild(program, terminal, exit);
  addKeys(program, terminal, exit);
  addArchive(program, terminal, exit);
}

interface VerifyArguments extends Common {
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
      "look again at copies that serve; what must not serve is taken out of service. Exit code: 0 good, 1 something is wrong, 2 not all could be told",
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

interface RebuildArguments extends Common {
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
    .action(async ({ config, json = false }: Common) => {
      const { keysStatus } = await import("./keys.ts");
      exit(await keysStatus(terminal, { config, json }));
    });
  keys
    .command("rotate")
    .description("encrypt under the newest master key what is under an older one; an interrupted run goes on")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false }: Common) => {
      const { keysRotate } = await import("./keys.ts");
      exit(await keysRotate(terminal, { config, json }));
    });
  keys
    .command("prune")
    .description("remove the records of locators that the catalogue does not know any more")
    .option(...CONFIG)
    .option("--dry-run", "only say which")
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false, dryRun = false }: Common & { dryRun?: boolean }) => {
      const { keysPrune } = await import("./keys.ts");
      exit(await keysPrune(terminal, { config, json, dryRun }));
    });
}

function addArchive(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("export")
    .description("write the catalogue into a file, one JSON line for each video")
    .argument("<file>", "replaced when it is complete")
    .option(...CONFIG)
    .option("--with-keys", "and the record of keys, encrypted as it is")
    .option(...JSON_OUTPUT)
    .action(async (file: string, { config, json = false, withKeys = false }: Common & { withKeys?: boolean }) => {
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
    .action(async (file: string, options: Common & { trust?: boolean; overwrite?: boolean }) => {
      const { importCommand } = await import("./archive.ts");
      const { config, json = false, trust = false, overwrite = false } = options;
      exit(await importCommand(terminal, { config, file, trust, overwrite, json }));
    });
}
