#!/usr/bin/env -S node --min-semi-space-size=4
/** Arguments -> command. The only place with console and process.exit. */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { SupposedViewer } from "./commands/explain.ts";
import type { ReplicateFlags } from "./commands/replicate.ts";
import { addEncodeCommands } from "./commands/encodeCommands.ts";
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

const CONFIG = ["-c, --config <file>", "configuration file", "paircast.yaml"] as const;
/** Of commands that ask a running gateway. */
const GATEWAY_CONFIG = ["-c, --config <file>", "configuration file; default: paircast.yaml where there is one"] as const;
const ADMIN = ["--admin <url>", "admin address; default: the one in the configuration, or 127.0.0.1:9090"] as const;
const JSON_OUTPUT = ["--json", "print JSON instead of text"] as const;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64) throw new InvalidArgumentError("write a whole number from 1 to 64");
  return value;
}

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

program
  .command("serve")
  .description("run the gateway, health probes and the replicator")
  .option(...CONFIG)
  .option("--json", "print one JSON line when ready")
  .option("--last-good [file]", "if the configuration is refused, start with the last one that worked (kept beside the state file)")
  .option("--workers <n>", "processes that answer players, in place of gateway.workers", wholeNumber)
  .action(async (options: { config: string; json?: boolean; lastGood?: boolean | string; workers?: number }) => {
    const { serve } = await import("./commands/serve.ts");
    const { config, json = false, lastGood = false, workers = null } = options;
    await serve(terminal, { config, json, lastGood, workers });
  });

program.command("worker", { hidden: true }).action(async () => {
  const { worker } = await import("./commands/worker.ts");
  await worker(terminal);
});

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
  .action(async (options: { config: string; asset?: string } & Partial<ReplicateFlags>) => {
    const { replicate } = await import("./commands/replicate.ts");
    const { config, asset = null, acceptWithdrawals = false, recreate = false, changed = false, follow = false, json = false } = options;
    end(await replicate(terminal, { config, asset, acceptWithdrawals, recreate, changed, follow, json }));
  });

program
  .command("status")
  .description("what a running gateway knows (regions, services, videos, jobs), and how far replication is, of the state where none runs")
  .option(...GATEWAY_CONFIG)
  .option(...ADMIN)
  .option(...JSON_OUTPUT)
  .action(async (options: { config?: string; admin?: string; json?: boolean }) => {
    const { status } = await import("./commands/status.ts");
    end(await status(terminal, { config: options.config ?? null, admin: options.admin ?? null, json: options.json === true }));
  });

program
  .command("explain")
  .description("which region a running gateway would send this URL to, and why")
  .argument("<url>", "a player URL, or its path")
  .option(...GATEWAY_CONFIG)
  .option(...ADMIN)
  .option("--address <ip>", "suppose a viewer with this address")
  .option("--country <code>", "suppose a viewer in this country, two letters")
  .option("--session <id>", "suppose a viewer with this session id")
  .option(...JSON_OUTPUT)
  .action(async (url: string, { config, admin, json, ...rest }: { config?: string; admin?: string; json?: boolean } & SupposedViewer) => {
    const { explain } = await import("./commands/explain.ts");
    await explain(terminal, url, { ...rest, config: config ?? null, admin: admin ?? null, json: json === true });
  });

addOverrideCommands(program, terminal);
addReplicationCommands(program, terminal, end);
addLibraryCommands(program, terminal, end);
addEncodeCommands(program, terminal, end);
addLiveCommands(program, terminal, end);

program
  .command("check-config")
  .description("check a configuration file and print what it amounts to, without secrets")
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .action(async (options: { config: string; json?: boolean }) => {
    const { checkConfig } = await import("./commands/checkConfig.ts");
    end(await checkConfig(terminal, { config: options.config, json: options.json === true }));
  });

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
