/**
 * The frame of every bench: the same options, the same table, the same JSON, goals from one file. Processes are started and measured with
 * `process.ts`.
 *
 *     await runBench("failover", async ({ quick, only }) => ({ versions, figures: [{ name: "redirect, killed", value: 71, unit: "ms", peers: { haproxy: 970 } }], notes }));
 *
 * A bench prints a table for people, and with `--json` one JSON object and nothing else; progress goes to standard error. The exit status is
 * 0 when it measured, whatever the figures say, and 1 when it could not.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

export interface BenchArguments {
  /** One JSON object instead of tables. */
  readonly json: boolean;
  /** The same thing in at most 45 seconds. */
  readonly quick: boolean;
  /** Parts to run, by the names that the bench gives them; empty: all. */
  readonly only: readonly string[];
  /** How often to repeat; null: the bench's own number. */
  readonly rounds: number | null;
}

/** Throws an error that names the option for what it does not know. */
export function parseBenchArguments(argv: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
    },
  });
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && (!Number.isInteger(rounds) || rounds < 1)) throw new Error("--rounds takes a whole number from 1");
  const only = values.only.flatMap((names) => names.split(",")).filter((name) => name !== "");
  return { json: values.json, quick: values.quick, only, rounds };
}

export interface Figure {
  /** Unique within the bench; `goals.json` knows it by this name. */
  readonly name: string;
  /** Infinity where what was waited for did not happen; it is written as null and holds no goal. */
  readonly value: number;
  readonly unit: string;
  /** The same figure of others, measured in the same run. Missing peers are left out here and named in the notes. */
  readonly peers?: Readonly<Record<string, number>>;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Measurement {
  /** Program -> version, Node and this project included. */
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
  /** More detail for people, printed before the figures. */
  readonly tables?: readonly Table[];
}

/** What a figure should be: a bound in its unit, or a multiple of a peer's figure. */
export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The bound is that many times this peer's figure; without the peer there is no goal. */
  readonly timesPeer?: string;
}

/** Bench -> figure -> its goals, all of which must hold. */
export type Goals = Readonly<Record<string, Readonly<Record<string, readonly Goal[]>>>>;

export interface JudgedFigure {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  /** The bound, the tightest where there are several; null where none is set, or none can be said without a missing peer. */
  readonly goal: number | null;
  readonly holds: boolean | null;
  readonly peers: Readonly<Record<string, number | null>>;
}

export interface Report {
  readonly name: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly figures: readonly JudgedFigure[];
  readonly notes: readonly string[];
}

export function readGoals(): Goals {
  return JSON.parse(readFileSync(new URL("goals.json", import.meta.url), "utf8")) as Goals;
}

/** Holds the figures against their goals. */
export function judge(name: string, measurement: Measurement, goals: Goals): Report {
  const { versions, figures, notes } = measurement;
  return { name, versions, figures: figures.map((figure) => judgeFigure(figure, goals[name]?.[figure.name] ?? [])), notes };
}

interface Bound {
  readonly limit: number;
  readonly atMost: boolean;
}

function judgeFigure({ name, value, unit, peers = {} }: Figure, goals: readonly Goal[]): JudgedFigure {
  const bounds = goals.flatMap((goal) => boundOf(goal, peers));
  const bad = bounds.find(({ limit, atMost }) => !(atMost ? value <= limit : value >= limit));
  const tightest = bad ?? bounds.toSorted((one, other) => Math.abs(value - one.limit) - Math.abs(value - other.limit))[0];
  return {
    name,
    value: finite(value),
    unit,
    goal: tightest === undefined ? null : rounded(tightest.limit),
    holds: bounds.length === 0 ? null : bad === undefined && Number.isFinite(value),
    peers: Object.fromEntries(Object.entries(peers).map(([peer, figure]) => [peer, finite(figure)])),
  };
}

function boundOf({ atMost, atLeast, timesPeer }: Goal, peers: Readonly<Record<string, number>>): Bound[] {
  const factor = timesPeer === undefined ? 1 : peers[timesPeer];
  const limit = atMost ?? atLeast;
  return factor === undefined || limit === undefined ? [] : [{ limit: limit * factor, atMost: atMost !== undefined }];
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? rounded(value) : null;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The report as text for people. */
export function formatReport(report: Report, tables: readonly Table[] = []): string {
  const peers = [...new Set(report.figures.flatMap((figure) => Object.keys(figure.peers)))];
  const figures: Table = {
    title: `${report.name}: figures`,
    columns: ["", "paircast", "goal", "", ...peers],
    rows: report.figures.map((figure) => [
      `${figure.name}, ${figure.unit}`,
      shown(figure.value),
      figure.goal === null ? "" : shown(figure.goal),
      figure.holds === null ? "" : figure.holds ? "holds" : "MISSED",
      ...peers.map((peer) => (peer in figure.peers ? shown(figure.peers[peer] ?? null) : "")),
    ]),
  };
  const versions = Object.entries(report.versions).map(([program, version]) => `${program} ${version}`);
  const texts = [...tables, figures].map(formatTable);
  return [...texts, versions.join(", "), ...report.notes.map((note) => `- ${note}`)].join("\n\n");
}

function shown(value: number | null): string {
  return value === null ? "never" : String(value);
}

/** Columns padded to their widest cell: the first to the left, figures to the right. */
export function formatTable({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    widths.map((width, index) => (index === 0 ? (cells[index] ?? "").padEnd(width) : (cells[index] ?? "").padStart(width))).join("  ");
  return [title, line(columns), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

/** Runs the bench with the process's arguments and reports. Sets the exit status. */
export async function runBench(name: string, measure: (options: BenchArguments) => Promise<Measurement>): Promise<void> {
  try {
    const options = parseBenchArguments(process.argv.slice(2));
    const measurement = await measure(options);
    const report = judge(name, measurement, readGoals());
    process.stdout.write(`${options.json ? JSON.stringify(report) : formatReport(report, measurement.tables)}\n`);
  } catch (error) {
    process.stderr.write(`bench:${name} could not measure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** One line about what is going on, on standard error. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The middle value, or the mean of the two middle ones; NaN for nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return low === undefined || high === undefined ? Number.NaN : low === high ? low : (low + high) / 2;
}

/** The value below which the share `q` of the values lies (nearest rank); NaN for nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}
