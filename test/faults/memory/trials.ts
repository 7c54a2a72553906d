/** Kills and failures at the ports of a replicator in memory: fast enough for every call there is, and for thousands of schedules. */
import type { Random } from "../../../src/core/clock.ts";
import type { Plain } from "../truth.ts";
import { Library } from "./library.ts";
import type { PortCall, Verdict } from "./ports.ts";

export interface MemoryTrial {
  /** For people, and to repeat it. */
  readonly name: string;
  readonly problems: readonly string[];
}

export interface MemoryReference {
  readonly calls: readonly PortCall[];
  readonly copies: number;
  readonly end: Plain;
}

const MOST_LIVES = 3;
const MOST_FAULTS = 5;

/** A process that nothing happens to. */
export async function memoryReference(): Promise<MemoryReference> {
  const library = await Library.open();
  const life = await library.live(() => "go on");
  const wrong = [...library.watcher.violations, ...(await library.contradictions(life)), ...failuresOf(life.results)];
  if (wrong.length > 0) throw new Error(`the replication fails without faults: ${wrong.join("; ")}`);
  return { calls: life.calls, copies: library.copies, end: await library.end() };
}

/** A process dies at its nth call (from 0), before or after that had its effect; another one continues. */
export async function dieAt(at: number, when: "die before" | "die after", reference: MemoryReference): Promise<MemoryTrial> {
  const library = await Library.open();
  let seen = -1;
  const first = await library.live(() => {
    seen += 1;
    return seen === at ? when : "go on";
  });
  const last = first.calls.at(-1);
  const second = await library.live(() => "go on");
  const died = `${when} ${last?.operation ?? "nothing"}, call ${at}`;
  // Only a copy that was under way may come twice; it reads the source.
  const allowed = last?.operation === "north copyFrom" || last?.operation === "west read" ? 1 : 0;
  const more = library.copies - reference.copies;
  const twice = more > allowed ? [`${more} copies more than without a kill`] : [];
  return { name: died, problems: [...twice, ...(await problemsOf(library, second, reference))] };
}

export interface MemoryFault {
  readonly operation: string;
  readonly nth: number;
  readonly verdict: Verdict;
}

/** Failures, lost answers, successes without effect and wrong bytes in one process; then processes that nothing happens to. */
export async function failAt(faults: readonly MemoryFault[], reference: MemoryReference): Promise<MemoryTrial> {
  const library = await Library.open();
  const due = new Map(faults.map(({ operation, nth, verdict }) => [`${operation} ${nth}`, verdict]));
  const disturbed = await library.live(({ operation }, nth) => due.get(`${operation} ${nth}`) ?? "go on");
  const problems = [...(await library.contradictions(disturbed))];
  let life = disturbed;
  for (let lives = 0; lives === 0 || (failuresOf(life.results).length > 0 && lives < MOST_LIVES); lives += 1) {
    life = await library.live(() => "go on");
    problems.push(...(await library.contradictions(life)));
  }
  const name = faults.map(({ operation, nth, verdict }) => `${verdict} at ${operation} no. ${nth}`).join(", ");
  return { name, problems: [...problems, ...(await problemsOf(library, life, reference))] };
}

/** One fault or several. The journal and the catalogue are of the process's own machine: they fail, and do not lie. */
export function randomFaults({ calls }: MemoryReference, random: Random): readonly MemoryFault[] {
  const index = (count: number): number => Math.floor(random.next() * count);
  return Array.from({ length: 1 + index(MOST_FAULTS) }, () => {
    const at = index(calls.length);
    const { operation = "", writes = false } = calls[at] ?? {};
    const nth = calls.slice(0, at + 1).filter((call) => call.operation === operation).length;
    const possible = verdictsFor(operation, writes);
    return { operation, nth, verdict: possible[index(possible.length)] ?? "fail before" };
  });
}

function verdictsFor(operation: string, writes: boolean): readonly Verdict[] {
  const own = operation.startsWith("journal") || operation.startsWith("catalogue");
  if (!writes || own) return ["fail before", "fail after"];
  return operation.endsWith("copyFrom")
    ? ["fail before", "fail after", "no effect", "wrong bytes"]
    : ["fail before", "fail after", "no effect"];
}

async function problemsOf(
  library: Library,
  last: Awaited<ReturnType<Library["live"]>>,
  reference: MemoryReference,
): Promise<readonly string[]> {
  return [
    ...library.watcher.violations.map((text) => `unverified and visible: ${text}`),
    ...(await library.contradictions(last)),
    ...failuresOf(last.results),
    ...(await library.differs(reference.end)).map((text) => `differs in the end: ${text}`),
  ];
}

function failuresOf(results: Awaited<ReturnType<Library["live"]>>["results"]): readonly string[] {
  if (results === null) return ["the process comes to no end"];
  return results.flatMap(({ assetName, target, error }) => (error === null ? [] : [`${assetName} to ${target}: ${error.message}`]));
}
