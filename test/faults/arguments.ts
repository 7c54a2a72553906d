/** Arguments and report of the commands that break things. */
import { parseArgs } from "node:util";
import { formatReport, judge, readGoals, type Measurement } from "../bench/frame.ts";

export interface BreakArguments {
  readonly json: boolean;
  /** A small part, within 45 s. */
  readonly quick: boolean;
  readonly seed: number;
  /** How many; null: the command's own number. */
  readonly runs: number | null;
  /** Names of runs to repeat; empty: all. */
  readonly only: readonly string[];
}

/** Throws an error that names the option for what it does not know. */
export function parseBreakArguments(argv: readonly string[]): BreakArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      runs: { type: "string" },
      only: { type: "string", multiple: true, default: [] },
    },
  });
  return {
    json: values.json,
    quick: values.quick,
    seed: wholeNumber("--seed", values.seed),
    runs: values.runs === undefined ? null : wholeNumber("--runs", values.runs),
    only: values.only.flatMap((names) => names.split(",")).filter((name) => name !== ""),
  };
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) throw new Error(`${option} takes a whole number`);
  return value;
}

/** Runs the command with the process's arguments and reports. The exit status is 1 only where nothing could be measured. */
export async function runBreaking(
  name: string,
  command: string,
  measure: (options: BreakArguments) => Promise<Measurement>,
): Promise<void> {
  try {
    const options = parseBreakArguments(process.argv.slice(2));
    const measurement = await measure(options);
    const report = judge(name, measurement, readGoals());
    process.stdout.write(`${options.json ? JSON.stringify(report) : formatReport(report, measurement.tables)}\n`);
  } catch (error) {
    process.stderr.write(`${command} could not measure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}
