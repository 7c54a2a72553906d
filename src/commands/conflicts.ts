/** `paircast conflicts`: what replication refuses to overwrite, and what can be done about it. */
import { openOperations } from "../compose/operations.ts";
import { loadConfig } from "../core/config/load.ts";
import type { ConflictRecord, JobRecord } from "../core/ports/journal.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { counted, spanText } from "./figures.ts";
import type { Terminal } from "./terminal.ts";

export interface ConflictsOptions {
  readonly config: string;
  /** Jobs. */
  readonly limit: number;
  readonly json: boolean;
}

/** The exit code: 1 where there are conflicts. Asks the state alone. */
export async function conflicts(terminal: Terminal, { config, limit, json }: ConflictsOptions): Promise<number> {
  await using operations = await openOperations(loadConfig(config));
  const { journal, clock } = operations;
  // One more, to know whether there are more.
  const found = await journal.conflicts(limit + 1);
  const jobs = found.slice(0, limit);
  const more = found.length > limit;
  if (json) terminal.print(JSON.stringify({ jobs: jobs.map(asJson), more }));
  else for (const line of text(jobs, more, clock.now())) terminal.print(line);
  return jobs.length > 0 ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

function asJson({ id, assetName, source, target, state, updatedAt, conflicts: found }: JobRecord): object {
  return { id, assetName, source, target, state, updatedAt, conflicts: found };
}

function text(jobs: readonly JobRecord[], more: boolean, now: number): string[] {
  if (jobs.length === 0) return ["no conflicts"];
  const total = `${counted(jobs.length, "job")} in conflict${more ? "; there are more: --limit shows them" : ""}`;
  return [...jobs.flatMap((job) => [heading(job, now), ...job.conflicts.flatMap((conflict) => sides(job, conflict))]), total];
}

function heading({ assetName, source, target, state, updatedAt }: JobRecord, now: number): string {
  const later =
    state === "conflict" ? "" : state === "failed" ? "; the last run failed before it could tell again" : `; it is ${state} now`;
  return `${assetName}: ${source} -> ${target}, ${spanText(now - updatedAt)} ago${later}`;
}

function sides({ source, target }: JobRecord, conflict: ConflictRecord): string[] {
  const { what, advice, locatorId, keepsServing } = conflict;
  const serving = keepsServing === true ? `${target} goes on serving its copy` : `${target} does not serve it meanwhile`;
  return [
    `  ${what}${locatorId === undefined ? "" : ` (${locatorId})`}; ${serving}`,
    `    ${source} has ${conflict.source}`,
    `    ${target} has ${conflict.target}`,
    `    what to do: ${advice}`,
  ];
}
