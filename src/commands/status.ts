/** `paircast status`: what a running gateway knows. */
import type { CatalogueEntry, ServiceHealth } from "../core/contracts.ts";
import type { JobRecord } from "../core/ports/journal.ts";
import { askAdmin, type AdminOptions } from "./adminClient.ts";
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

export async function status(terminal: Terminal, options: AdminOptions & { readonly json: boolean }): Promise<void> {
  const answer = await askAdmin(options, "/api/status");
  if (options.json) {
    terminal.print(JSON.stringify(answer));
    return;
  }
  for (const line of lines(answer as Status)) terminal.print(line);
}

function lines({ version, now, gateway, regions, videos, jobs }: Status): string[] {
  return [
    `paircast ${version}, gateway at ${gateway.url}`,
    ...regions.flatMap((region) => [
      `${region.name}: ${region.verified} videos verified`,
      ...Object.entries(region.services).map(([service, health]) => `  ${service.padEnd(10)} ${describe(health, now)}`),
    ]),
    `videos: ${videos.length}`,
    ...videos.map((video) => `  ${video.locatorId}  ${video.locatorName}  ${whereabouts(video)}`),
    `failing jobs: ${jobs.filter((job) => job.state === "failed" || job.state === "conflict").length}`,
    ...jobs
      .filter((job) => job.state === "failed" || job.state === "conflict")
      .map((job) => `  ${job.id}  ${job.errorCode ?? ""}: ${job.errorMessage ?? ""}`),
  ];
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
