/** `paircast live`: pairs of live events, and how they are put in words. */
import { composeFoundations, type Foundations } from "../compose/foundations.ts";
import { liveOnAir, livePairs, liveRegions, type OnAir } from "../compose/live.ts";
import { loadConfig } from "../core/config/load.ts";
import type { Config } from "../core/config/schema.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import type { LivePairs, PairInRegion, PairReport } from "../encoding/live/livePair.ts";
import type { LivePairSpec } from "../encoding/live/pairing.ts";
import type { RemoveOptions } from "../encoding/live/removePair.ts";
import { askAdmin } from "./adminClient.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import type { Terminal } from "./terminal.ts";

export interface LiveFlags {
  readonly config: string;
  readonly json: boolean;
}

export interface CreateFlags extends LiveFlags {
  /** Null: all that can. */
  readonly regions: readonly string[] | null;
  readonly start: boolean;
}

/** The exit code: 1 where something could not be made in a region; the same command completes it. */
export async function liveCreate(terminal: Terminal, spec: LivePairSpec, flags: CreateFlags): Promise<number> {
  return withPairs(terminal, flags, async (pairs, { config }) => {
    checkToken(spec.accessToken);
    const created = await pairs.create(spec, chosenRegions(config, flags.regions), terminal.stop);
    const report = flags.start && created.locatorId !== null ? joined(created, await pairs.start(spec.name, terminal.stop)) : created;
    if (flags.json) terminal.print(JSON.stringify(shown(report, config, { ingest: true })));
    else for (const line of [...made(report, config), "", ...ADVICE]) terminal.print(line);
    return exitCode(report);
  });
}

const ADVICE = [
  "Send the same stream to both regions: the same renditions, key frames at the same times (a fixed GOP) and the same time codes, or viewers",
  "who change the region see a jump. Whoever has an ingest address can send to it: keep them secret.",
];

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function checkToken(accessToken: string | null): void {
  if (accessToken === null || GUID.test(accessToken)) return;
  throw new PaircastError("bad_option", "--access-token: write a GUID");
}

/** A pair has two at least: one alone has nothing to change to. */
function chosenRegions(config: Config, named: readonly string[] | null): readonly string[] {
  const able = liveRegions(config);
  for (const name of named ?? []) {
    if (!config.regions.some((region) => region.name === name))
      throw new PaircastError(
        "unknown_region",
        `no region is named ${name}; regions are ${config.regions.map((each) => each.name).join(", ")}`,
      );
    if (!able.includes(name))
      throw new PaircastError("not_configured", `region ${name} has no account of the driver ams, and live events are made in those only`);
  }
  const chosen = named === null ? able : able.filter((name) => named.includes(name));
  if (chosen.length > 1) return chosen;
  throw new PaircastError("not_configured", "a pair of live events needs two regions with accounts of the driver ams");
}

/** What was changed by both, and the state after the second. */
function joined(first: PairReport, second: PairReport): PairReport {
  const regions = first.regions.map((region): PairInRegion => {
    const later = second.regions.find((each) => each.region === region.region);
    if (later === undefined) return region;
    return { ...later, changed: [...region.changed, ...later.changed], failure: region.failure ?? later.failure };
  });
  return { ...second, regions };
}

export async function liveStart(terminal: Terminal, name: string, flags: LiveFlags): Promise<number> {
  return withPairs(terminal, flags, async (pairs, { config }) => told(terminal, await pairs.start(name, terminal.stop), config, flags));
}

export async function liveStop(terminal: Terminal, name: string, flags: LiveFlags): Promise<number> {
  return withPairs(terminal, flags, async (pairs, { config }) => told(terminal, await pairs.stop(name, terminal.stop), config, flags));
}

export async function liveDelete(terminal: Terminal, name: string, flags: LiveFlags & RemoveOptions): Promise<number> {
  return withPairs(terminal, flags, async (pairs, { config }) =>
    told(terminal, await pairs.remove(name, flags, terminal.stop), config, flags),
  );
}

function told(terminal: Terminal, report: PairReport, config: Config, { json }: LiveFlags): number {
  if (json) terminal.print(JSON.stringify(shown(report, config, { ingest: false })));
  else for (const region of report.regions) terminal.print(changes(region));
  return exitCode(report);
}

export interface StatusFlags extends LiveFlags {
  readonly ingest: boolean;
  readonly admin: string | null;
}

/** The exit code: 1 where a region could not be asked or has no event. */
export async function liveStatus(terminal: Terminal, name: string, flags: StatusFlags): Promise<number> {
  return withPairs(terminal, flags, async (pairs, foundations) => {
    const report = await pairs.status(name, terminal.stop);
    const view = await gatewayView(report, flags);
    const onAir = view === null ? await liveOnAir(foundations, report.manifests, terminal.stop) : catalogued(report);
    const status: Status = { report, onAir, serves: view?.decision?.region ?? null, isLive: view !== null };
    const { config } = foundations;
    if (flags.json)
      terminal.print(JSON.stringify({ ...shown(report, config, flags), serves: status.serves, onAir: Object.fromEntries(onAir) }));
    else for (const line of statusLines(status, config, flags)) terminal.print(line);
    return report.regions.every(({ failure, event }) => failure === null && event !== null) ? EXIT_CODES.ok : EXIT_CODES.wrong;
  });
}

interface Status {
  readonly report: PairReport;
  readonly onAir: ReadonlyMap<string, OnAir>;
  readonly serves: string | null;
  /** A gateway was asked; else the manifests were, from here. */
  readonly isLive: boolean;
}

interface Explained {
  readonly decision: { readonly region: string | null } | null;
}

/** Null where no gateway answers. */
async function gatewayView({ manifests }: PairReport, { config, admin }: StatusFlags): Promise<Explained | null> {
  const path = manifests.hls ?? manifests.dash;
  if (path === null) return null;
  try {
    return (await askAdmin({ config, admin }, `/api/explain?${new URLSearchParams({ url: path }).toString()}`)) as Explained;
  } catch (error) {
    // Who names an address wants to hear of that one.
    if (admin !== null || !(error instanceof PaircastError)) throw error;
    return null;
  }
}

function catalogued({ regions }: PairReport): ReadonlyMap<string, OnAir> {
  return new Map(
    regions.flatMap(({ region, copy }) => (copy === null ? [] : [[region, { onAir: copy.state === "verified", detail: copy.detail }]])),
  );
}

export async function liveList(terminal: Terminal, flags: LiveFlags): Promise<number> {
  return withPairs(terminal, flags, async (pairs) => {
    const { pairs: listed, failures } = await pairs.list(terminal.stop);
    if (flags.json) terminal.print(JSON.stringify({ pairs: listed, failures }));
    else {
      for (const { name, locatorId, states } of listed) {
        const where = Object.entries(states).map(([region, state]) => `${region} ${state ?? "none"}`);
        terminal.print(`${name.padEnd(32)}  ${locatorId ?? "not catalogued"}  ${where.join(", ")}`);
      }
      if (listed.length === 0) terminal.print("there is no live event");
      for (const { region, message } of failures) terminal.note(`${region}: ${message}`);
    }
    return failures.length === 0 ? EXIT_CODES.ok : EXIT_CODES.wrong;
  });
}

async function withPairs(
  terminal: Terminal,
  { config: file }: LiveFlags,
  run: (pairs: LivePairs, foundations: Foundations) => Promise<number>,
): Promise<number> {
  const config = loadConfig(file);
  const log = createLog(config.log.level);
  await using foundations = await composeFoundations({ config, version: terminal.version, log, routes: false });
  return await run(await livePairs(foundations), foundations);
}

function exitCode({ regions }: PairReport): number {
  return regions.every(({ failure }) => failure === null) ? EXIT_CODES.ok : EXIT_CODES.wrong;
}

/** What `--json` prints. */
function shown({ name, locatorId, manifests, regions }: PairReport, config: Config, { ingest }: { readonly ingest: boolean }): object {
  return {
    name,
    locatorId,
    playback: { hls: playbackUrl(manifests.hls, config), dash: playbackUrl(manifests.dash, config) },
    regions: regions.map(({ region, changed, failure, event, copy }) => ({
      region,
      state: event?.state ?? null,
      changed,
      error: failure === null ? null : { code: failure.code, message: failure.message },
      copy,
      ...(ingest ? { ingest: event?.ingest ?? [] } : {}),
      preview: event?.preview ?? [],
    })),
  };
}

/** A path on the gateway where the configuration does not say by which URL players reach it. */
function playbackUrl(path: string | null, { gateway }: Config): string | null {
  return path === null ? null : `${gateway.publicUrl ?? ""}${path}`;
}

function made(report: PairReport, config: Config): readonly string[] {
  return [...report.regions.map(changes), "", ...playback(report, config), ...report.regions.flatMap((region) => addresses(region, true))];
}

function playback({ manifests }: PairReport, config: Config): readonly string[] {
  const rows = [
    ["playback HLS", manifests.hls],
    ["playback DASH", manifests.dash],
  ] as const;
  return rows.flatMap(([what, path]) => (path === null ? [] : [row(what, "", playbackUrl(path, config) ?? "")]));
}

function addresses({ region, event }: PairInRegion, ingest: boolean): readonly string[] {
  if (event === null) return [];
  const ingests = event.ingest.map(({ url }) => row("ingest", region, url));
  const none = event.ingest.length === 0 ? [row("ingest", region, "known when it runs")] : ingests;
  return [...(ingest ? none : []), ...event.preview.map((url) => row("preview", region, url))];
}

function row(what: string, region: string, url: string): string {
  return `${what.padEnd(13)}  ${region.padEnd(16)}  ${url}`;
}

function changes({ region, changed, failure, event }: PairInRegion): string {
  const state = event === null ? "" : ` (${event.state})`;
  if (failure !== null) return `${region}${state}: ${failure.code}: ${failure.message}`;
  return `${region}${state}: ${changed.length === 0 ? "nothing to do" : changed.join(", ")}`;
}

function statusLines({ report, onAir, serves, isLive }: Status, config: Config, { ingest }: StatusFlags): readonly string[] {
  const regions = report.regions.flatMap((region) => {
    const air = onAir.get(region.region);
    const seen = air === undefined ? "not catalogued" : `${air.onAir ? "on air" : "not on air"}: ${air.detail}`;
    const state = region.failure === null ? (region.event?.state ?? "no event") : `${region.failure.code}: ${region.failure.message}`;
    return [`${region.region}: ${state}; ${seen}`, ...addresses(region, ingest)];
  });
  const who = isLive
    ? `served by ${serves ?? "nobody"}`
    : "no gateway answers, so the regions were asked from here; who serves is not known";
  return [`${report.name}, locator ${report.locatorId ?? "none"}: ${who}`, ...playback(report, config), ...regions];
}
