/** Runs a program to its end: at low priority, bounded in time and output, gone when its signal aborts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";

export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Hears every line of standard output. */
  readonly line: (line: string) => void;
}

const LAST_WORDS = 5;

/**
 * Resolves when it has ended well. Rejects with `program_failed` and its last words, `program_timeout`, `program_missing`, or the signal's
 * reason; it has ended by then. Should this process be killed outright, it goes on: give it a limit of its own.
 */
export async function runChild({ program, args, timeoutMs, signal, clock, line }: ChildOptions): Promise<void> {
  signal.throwIfAborted();
  const name = basename(program);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] } });
  const words: string[] = [];
  using limit = clock.deadline(timeoutMs);
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  const ends = AbortSignal.any([signal, limit.signal]);
  ends.addEventListener("abort", kill, { once: true });
  createInterface({ input: child.stdout }).on("line", line);
  createInterface({ input: child.stderr }).on("line", (text) => {
    words.push(text.slice(0, 300));
    words.splice(0, words.length - LAST_WORDS);
  });
  yieldToOthers(child.pid);
  const [code] = (await once(child, "close").catch((cause: unknown) => {
    throw new PaircastError("program_missing", `${name} cannot be started`, { cause });
  })) as [number | null];
  ends.removeEventListener("abort", kill);
  signal.throwIfAborted();
  if (limit.signal.aborted) throw new PaircastError("program_timeout", `${name} was still running after ${timeoutMs / 1000} s`);
  if (code !== 0) throw new PaircastError("program_failed", `${name} ended with ${String(code)}: ${words.join(" | ") || "no message"}`);
}

/** It may have ended already. */
function yieldToOthers(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    return;
  }
}
