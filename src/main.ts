#!/usr/bin/env node
/** Arguments -> command. The only place with console and process.exit. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Terminal } from "./commands/terminal.ts";
import { PaircastError } from "./core/errors.ts";
import { scrub } from "./core/log.ts";

const packageFile = new URL("../package.json", import.meta.url);
const version = String((JSON.parse(readFileSync(packageFile, "utf8")) as { version: unknown }).version);

/** Aborts on the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
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
};

const CONFIG = ["-c, --config <file>", "configuration file", "paircast.yaml"] as const;
const JSON_OUTPUT = ["--json", "print JSON instead of text"] as const;

const program = new Command("paircast")
  .description("One stable URL per video: routes players to a region that can serve, and keeps the regions' copies identical.")
  .version(version)
  .showHelpAfterError("(add --help for the options)");

program
  .command("serve")
  .description("run the gateway, health probes and the replicator")
  .option(...CONFIG)
  .option("--json", "print one JSON line when ready")
  .action(async (options: { config: string; json?: boolean }) => {
    const { serve } = await import("./commands/serve.ts");
    await serve(terminal, { config: options.config, json: options.json === true });
  });

program
  .command("replicate")
  .description("replicate once: all assets, or one; a second run changes nothing")
  .option(...CONFIG)
  .option("--asset <name>", "only this asset")
  .option(...JSON_OUTPUT)
  .action(async (options: { config: string; asset?: string; json?: boolean }) => {
    const { replicate } = await import("./commands/replicate.ts");
    process.exitCode = await replicate(terminal, { config: options.config, asset: options.asset ?? null, json: options.json === true });
  });

program
  .command("status")
  .description("what a running gateway knows: regions, services, videos, jobs")
  .option(...CONFIG)
  .option("--admin <url>", "admin address; default: the one in the configuration")
  .option(...JSON_OUTPUT)
  .action(async (options: { config: string; admin?: string; json?: boolean }) => {
    const { status } = await import("./commands/status.ts");
    await status(terminal, { config: options.config, admin: options.admin ?? null, json: options.json === true });
  });

program
  .command("explain")
  .description("which region a running gateway would send this URL to, and why")
  .argument("<url>", "a player URL, or its path")
  .option(...CONFIG)
  .option("--admin <url>", "admin address; default: the one in the configuration")
  .option(...JSON_OUTPUT)
  .action(async (url: string, options: { config: string; admin?: string; json?: boolean }) => {
    const { explain } = await import("./commands/explain.ts");
    await explain(terminal, url, { config: options.config, admin: options.admin ?? null, json: options.json === true });
  });

program
  .command("check-config")
  .description("check a configuration file and print what it amounts to, without secrets")
  .option(...CONFIG)
  .option(...JSON_OUTPUT)
  .action(async (options: { config: string; json?: boolean }) => {
    const { checkConfig } = await import("./commands/checkConfig.ts");
    checkConfig(terminal, { config: options.config, json: options.json === true });
  });

program
  .command("sandbox")
  .description("two complete regions, gateway and replicator on this machine, with faults to switch on")
  .option("--json", "print one JSON line when everything is ready")
  .option("--port-base <n>", "gateway on N, admin on N+1, control on N+2, regions from N+10; 0 takes free ports")
  .option("--tls", "streaming and key delivery of the regions over TLS")
  .action(async (options: { json?: boolean; portBase?: string; tls?: boolean }) => {
    const { sandbox } = await import("./sandbox/command.ts").catch((cause: unknown) => {
      throw new PaircastError(
        "sandbox_missing",
        "the sandbox is not part of this installation: run it from a clone of the repository, after `npm ci`",
        { cause },
      );
    });
    await sandbox(terminal, { json: options.json === true, portBase: options.portBase ?? null, tls: options.tls === true });
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!terminal.stop.aborted) {
    console.error(
      scrub(error instanceof PaircastError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
    process.exitCode = 1;
  }
}
