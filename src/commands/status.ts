/** `paircast status`: what a running gateway knows, and how far replication is, of the state where no gateway runs. */
import { existsSync } from "node:fs";
import { openOperations } from "../compose/operations.ts";
import { replicationStatus } from "../compose/replicationStatus.ts";
import { loadConfig } from "../core/config/load.ts";
import type { CatalogueEntry, ServiceHealth } from "../core/contracts.ts";
import { errorCode } from "../core/errors.ts";
import type { JobRecord } from "../core/ports/journal.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { ReplicationStatus, TargetReplication } from "../core/replicationStatus.ts";
import { askAdmin, type AdminOptions } from "./adminClient.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { counted, spanText } from "./figures.ts";
import type { Terminal } from "./terminal.ts";

/** The answer of `/api/status`, as far as it is printed. */
interface Status {
  readonly version: string;
  readonly now: number;
  readonly gateway: { readonly url: string };
  readonly regions: readonly {
    readonly name: string;
    readonly verified: number;
    readonly services: Readonly<Record<string, ServiceHealth>>;
  }[];
  readonly videos: readonly CatalogueEntry[];
  readonly jobs: readonly JobRecord[];
}

const DEFAULT_CONFIG = "paircast.yaml";

/** The exit code: 0 where there was something to tell. Throws where neither a gateway nor a state could be asked. */
export async function status(terminal: Terminal, options: AdminOptions & { readonly json: boolean }): Promise<number> {
  const { live, replication, missed } = await gather(options);
  if (options.json) terminal.print(JSON.stringify({ ...live, gateway: live?.gateway ?? null, replication }));
  else {
    const text = [...(live === null ? [] : lines(live)), ...(replication === null ? [] : replicationLines(replication))];
    for (const line of text) terminal.print(line);
  }
  if (missed !== null) terminal.note(`${missed}\nso health is not known; replication is of the state alone`);
  return EXIT_CODES.ok;
}

interface Gathered {
  readonly live: Status | null;
  readonly replication: ReplicationStatus | null;
  /** Why no gateway has answered, where the state could be read all the same. */
  readonly missed: string | null;
}

async function gather(options: AdminOptions): Promise<Gathered> {
  try {
    const live = (await askAdmin(options, "/api/status")) as Status;
    const {
      jobs: _jobs,
      conflicts: _conflicts,
      ...replication
    } = (await askAdmin(options, "/api/replication?limit=1")) as object & {
      jobs: unknown;
      conflicts: unknown;
    };
    return { live, replication: "targets" in replication ? (replication as ReplicationStatus) : null, missed: null };
  } catch (error) {
    const file = options.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : null);
    // Who names an address wants to hear of that one.
    if (errorCode(error) !== "admin_unreachable" || options.admin !== null || file === null) throw error;
    return { live: null, replication: await ofState(file), missed: error instanceof Error ? error.message : null };
  }
}

async function ofState(file: string): Promise<ReplicationStatus> {
  const config = loadConfig(file);
  await using operations = await openOperations(config);
  return await replicationStatus(operations, config, entriesOf(operations.catalogue));
}

async function* entriesOf(catalogue: CatalogueStore): AsyncGenerator<CatalogueEntry> {
  for await (const { entry } of catalogue.list()) yield entry;
}

function lines({ version, now, gateway, regions, videos, jobs }: Status): string[] {
  const failing = jobs.filter((job) => job.state === "failed" || job.state === "conflict");
  return [
    `paircast ${version}, gateway at ${gateway.url}`,
    ...regions.flatMap((region) => [
      `${region.name}: ${region.verified} videos verified`,
      ...Object.entries(region.services).map(([service, health]) => `  ${service.padEnd(10)} ${describe(health, now)}`),
    ]),
    `videos: ${videos.length}`,
    ...videos.map((video) => `  ${video.locatorId}  ${video.locatorName}  ${whereabouts(video)}`),
    `failing jobs: ${failing.length}`,
    ...failing.map((job) => `  ${job.id}  ${job.errorCode ?? ""}: ${job.errorMessage ?? ""}`),
  ];
}

function replicationLines({ at, targets, queue, backfill, lastFullAt }: ReplicationStatus): string[] {
  return [
    "replication:",
    ...targets.map((target) => `  ${target.target}: ${targetText(target, at)}`),
    queue === null
      ? "  no queue of work"
      : `  queue: about ${counted(queue.pending, "piece")} of work, ${counted(queue.deadLetters, "dead letter")}`,
    ...backfill.map(
      ({ region, startedAt, pages }) =>
        `  a look through ${region} began ${spanText(at - startedAt)} ago and has done ${counted(pages, "page")} of its list`,
    ),
    lastFullAt === null ? "  everything was not looked at yet" : `  everything was looked at last ${spanText(at - lastFullAt)} ago`,
  ];
}

function targetText({ verified, pending, oldestPendingAt, failed, conflicts, doneLastHour }: TargetReplication, at: number): string {
  const waits = oldestPendingAt === null ? "" : ` (the first for ${spanText(at - oldestPendingAt)})`;
  const wrong = `${failed} failed, ${counted(conflicts, "conflict")}`;
  return `${counted(verified, "video")} verified, ${pending} pending${waits}, ${wrong}; ${counted(doneLastHour, "job")} done in the last hour`;
}

function describe(health: ServiceHealth, now: number): string {
  const why = health.reason === null ? "" : ` (${health.reason}${health.detail === null ? "" : `: ${health.detail}`})`;
  return `${health.status} for ${Math.max(0, Math.round((now - health.since) / 1000))} s${why}`;
}

function whereabouts(video: CatalogueEntry): string {
  return Object.entries(video.regions)
    .map(([region, copy]) => `${region} ${copy.state}`)
    .join(", ");
}
