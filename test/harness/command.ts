/** The commands: each in a process of its own, as a person or a script runs them, or in this process, where only what they do counts. */
import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { EXIT_CODES, exitCodeOf } from "../../src/commands/exitCodes.ts";
import { addLibraryCommands } from "../../src/commands/libraryCommands.ts";
import { addReplicationCommands } from "../../src/commands/replicationCommands.ts";
import type { Terminal } from "../../src/commands/terminal.ts";
import { within } from "./wait.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const RUN_MS = 90_000;
const STOP_MS = 45_000;

export type CommandProcess = ChildProcessByStdio<null, Readable, Readable>;

export interface Place {
  /** Working directory; default: that of the tests. */
  readonly cwd?: string;
  /** Beside the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function startCommand(options: readonly string[], { cwd, env }: Place = {}): CommandProcess {
  return spawn(process.execPath, [MAIN, ...options], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export async function runCommand(options: readonly string[], place: Place = {}): Promise<Ended> {
  const child = startCommand(options, place);
  try {
    const ended = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
    const [[code], out, err] = await within(RUN_MS, `paircast ${options.join(" ")}`, ended);
    return { code: code as number | null, out, err };
  } finally {
    child.kill("SIGKILL");
  }
}

/**
 * The same without a process, whose start takes most of a command's time. Of the commands that are not in main.ts itself; what they log is not
 * in `err` but in the standard error of the tests.
 */
export async function callCommand(options: readonly string[]): Promise<Ended> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    version: "test",
    stop: new AbortController().signal,
    print: (line) => out.push(`${line}\n`),
    note: (line) => err.push(`${line}\n`),
  };
  let code: number = EXIT_CODES.ok;
  const end = (given: number): void => {
    code = given;
  };
  const output = { writeOut: (written: string) => out.push(written), writeErr: (written: string) => err.push(written) };
  const program = new Command("paircast").exitOverride().configureOutput(output);
  addReplicationCommands(program, terminal, end);
  addLibraryCommands(program, terminal, end);
  const before = process.listeners("exit");
  try {
    await program.parseAsync(options, { from: "user" });
  } catch (error) {
    code = exitCodeOf(error);
    if (!(error instanceof CommanderError)) err.push(`${error instanceof Error ? error.message : String(error)}\n`);
  } finally {
    leave(before, code);
  }
  return { code, out: out.join(""), err: err.join("") };
}

/** What a command has left for the end of its process: its log is written out. */
function leave(before: readonly NodeJS.ExitListener[], code: number): void {
  for (const listener of process.listeners("exit")) {
    if (before.includes(listener)) continue;
    process.off("exit", listener);
    listener(code);
  }
}

/** A command that goes on until it is stopped; disposed of, it is killed. */
export interface Running<Ready> extends AsyncDisposable {
  readonly child: CommandProcess;
  /** The JSON line by which it said that it was ready. */
  readonly ready: Ready;
  /** Everything that it has written to standard error, so far. */
  readonly log: readonly string[];
}

/** Resolves with its first line; rejects with what it wrote where it ends before, or is late. */
export async function startRunning<Ready>(options: readonly string[], readyMs: number, place: Place = {}): Promise<Running<Ready>> {
  const child = startCommand(options, place);
  const what = `paircast ${options[0] ?? ""}`;
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "close").then(([code]): never => {
    throw new Error(`it ended with ${String(code)}`);
  });
  ended.catch(() => undefined);
  try {
    const [line] = await within(readyMs, `${what} to be ready`, Promise.race([once(lines, "line"), ended]));
    return { child, ready: JSON.parse(String(line)) as Ready, log, [Symbol.asyncDispose]: async () => killRunning(child) };
  } catch (cause) {
    child.kill("SIGKILL");
    throw new Error(`${what}: ${String(cause)}\n${log.join("\n")}`, { cause });
  }
}

/**
 * SIGTERM, and the exit code; null where a signal ended it. All that it has written has been read then. SIGKILL, and a rejection, where it
 * does not end in time.
 */
export async function stopRunning(child: CommandProcess): Promise<number | null> {
  // `close` and not `exit`, after which the end of its log may still be on its way.
  const closed: Promise<unknown> = isClosed(child) ? Promise.resolve() : once(child, "close");
  child.kill("SIGTERM");
  try {
    await within(STOP_MS, `${child.spawnargs.slice(2, 3).join("")} to stop`, closed);
    return child.exitCode;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

function isClosed({ exitCode, signalCode, stdout, stderr }: CommandProcess): boolean {
  return (exitCode !== null || signalCode !== null) && stdout.closed && stderr.closed;
}

/** SIGKILL; resolves when it is gone. */
export async function killRunning(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await within(STOP_MS, "the killed process to be gone", exited);
}
