#!/usr/bin/env -S node --min-semi-space-size=4
/** Arguments -> command. The only place with console and process.exit. */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Command, CommanderError } from "commander";
import { addEncodeCommands } from "./commands/encodeCommands.ts";
import { addGatewayCommands } from "./commands/gatewayCommands.ts";
import { addLibraryCommands } from "./commands/libraryCommands.ts";
import { addLiveCommands } from "./commands/liveCommands.ts";
import { EXIT_CODES, EXIT_CODES_HELP, exitCodeOf } from "./commands/exitCodes.ts";
import { addOverrideCommands } from "./commands/overrideCommands.ts";
import { addReplicationCommands } from "./commands/replicationCommands.ts";
import type { Terminal } from "./commands/terminal.ts";
import { errorChain, PaircastError } from "./core/errors.ts";
import { scrub } from "./core/log.ts";

// V8 would let its space for new objects grow to tens of MB under load. What a request leaves behind is gone soon after; measured, a small space
// costs no time and saves 45 MB. Too small a one would promote what is under way: hence --min-semi-space-size=4 (MB) wherever this is started.
setFlagsFromString("--semi-space-growth-factor=1");
// Starts in two thirds of the time and runs with 25 MB less: node's TypeScript compiler is not even loaded. Where it cannot be written, no harm.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/paircast", import.meta.url)));

const packageFile = new URL("../package.json", import.meta.url);
const version = String((JSON.parse(readFileSync(packageFile, "utf8")) as { version: unknown }).version);

let interrupted: number | null = null;

/** Aborts on the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: "SIGINT" | "SIGTERM") => {
    interrupted = EXIT_CODES[signal];
    if (controller.signal.aborted) process.exit(interrupted);
    controller.abort(new Error(`stopped by ${signal}`));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

const terminal: Terminal = {
  version,
  stop: stopSignal(),
  print: (text) => {
    console.log(text);
  },
  note: (text) => {
    console.error(text);
  },
  ...(process.stderr.isTTY ? { screen: process.stderr } : {}),
};

const program = new Command("paircast")
  .description("One stable URL per video: routes players to a region that can serve, and keeps the regions' copies identical.")
  .version(version)
  .showHelpAfterError("(add --help for the options)")
  .addHelpText("after", EXIT_CODES_HELP)
  .exitOverride();

/** What runs until it is stopped has done all that it was asked to, then. */
let isEndless = false;
program.hook("preAction", (_, action) => {
  isEndless = ["serve", "worker", "sandbox"].includes(action.name()) || action.opts()["follow"] === true;
});
const end = (code: number): void => {
  process.exitCode = isEndless ? code : (interrupted ?? code);
};

addGatewayCommands(program, terminal, end);
addOverrideCommands(program, terminal);
addReplicationCommands(program, terminal, end);
addLibraryCommands(program, terminal, end);
addEncodeCommands(program, terminal, end);
addLiveCommands(program, terminal, end);

program
  .command("sandbox")
  .description("two complete regions, gateway and replicator on this machine, with faults to switch on")
  .option("--json", "print one JSON line when everything is ready")
  .option("--port-base <n>", "gateway on N, admin on N+1, control on N+2, events on N+3, regions from N+10; 0 takes free ports")
  .option("--tls", "streaming and key delivery of the regions over TLS")
  .option("--steering-ttl <duration>", "after how long steered players ask again while all is well", "5s")
  .option("--encoder <name>", "what makes the outputs of jobs: ffmpeg, copies of the sample video, or auto: ffmpeg where it is", "auto")
  .action(async (options: { json?: boolean; portBase?: string; tls?: boolean; steeringTtl: string; encoder: string }) => {
    const { sandbox } = await import("./sandbox/command.ts").catch((cause: unknown) => {
      throw new PaircastError(
        "sandbox_missing",
        `the sandbox is not part of this installation: run it from a clone of the repository, after \`npm ci\` (${errorChain(cause)})`,
        { cause },
      );
    });
    const { json = false, portBase = null, tls = false, steeringTtl, encoder } = options;
    await sandbox(terminal, { json, portBase, tls, steeringTtl, encoder });
  });

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong, or printed what it was asked for.
  if (!terminal.stop.aborted && !(error instanceof CommanderError))
    console.error(
      scrub(error instanceof PaircastError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  end(terminal.stop.aborted && isEndless ? EXIT_CODES.ok : exitCodeOf(error));
}
