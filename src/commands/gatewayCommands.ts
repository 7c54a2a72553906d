/** The arguments of `serve`, of what asks a running gateway, and of `check-config`. */
import type { Command } from "commander";
import type { SupposedViewer } from "./explain.ts";
import { CONFIG, gatewayFlags, JSON_OUTPUT, wholeNumber, withGateway, type GatewayOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const MOST_WORKERS = 64;

/** `exit` is given the exit code. */
export function addGatewayCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  addServe(program, terminal);
  addStatus(program, terminal, exit);
  addExplain(program, terminal);
  addCheckConfig(program, terminal, exit);
}

function addServe(program: Command, terminal: Terminal): void {
  program
    .command("serve")
    .description("run the gateway, health probes and the replicator")
    .option(...CONFIG)
    .option("--json", "print one JSON line when ready")
    .option("--last-good [file]", "if the configuration is refused, start with the last one that worked (kept beside the state file)")
    .option("--workers <n>", "processes that answer players, in place of gateway.workers", wholeNumber(MOST_WORKERS))
    .action(async (options: { config: string; json?: boolean; lastGood?: boolean | string; workers?: number }) => {
      const { serve } = await import("./serve.ts");
      const { config, json = false, lastGood = false, workers = null } = options;
      await serve(terminal, { config, json, lastGood, workers });
    });
  program.command("worker", { hidden: true }).action(async () => {
    const { worker } = await import("./worker.ts");
    await worker(terminal);
  });
}

function addStatus(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const status = program
    .command("status")
    .description(
      "what a running gateway knows (regions, services, videos, jobs), and how far replication is, of the state where none runs",
    );
  withGateway(status).action(async (options: GatewayOptions) => {
    const { status: show } = await import("./status.ts");
    exit(await show(terminal, gatewayFlags(options)));
  });
}

function addExplain(program: Command, terminal: Terminal): void {
  const explain = program.command("explain").description("which region a running gateway would send this URL to, and why");
  withGateway(explain.argument("<url>", "a player URL, or its path"))
    .option("--address <ip>", "suppose a viewer with this address")
    .option("--country <code>", "suppose a viewer in this country, two letters")
    .option("--session <id>", "suppose a viewer with this session id")
    .action(async (url: string, options: GatewayOptions & SupposedViewer) => {
      const { explain: show } = await import("./explain.ts");
      const { address, country, session } = options;
      await show(terminal, url, { address, country, session, ...gatewayFlags(options) });
    });
}

function addCheckConfig(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command("check-config")
    .description("check a configuration file and print what it amounts to, without secrets")
    .option(...CONFIG)
    .option(...JSON_OUTPUT)
    .action(async ({ config, json = false }: { config: string; json?: boolean }) => {
      const { checkConfig } = await import("./checkConfig.ts");
      exit(await checkConfig(terminal, { config, json }));
    });
}
