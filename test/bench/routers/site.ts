/** What a router is put in front of: one video in two regions, the first of which will fail. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Video } from "../origin/faults.ts";
import type { OriginRegion } from "../origin/origin.ts";
import { KEY_ID, manifestPath } from "../origin/video.ts";

export interface Site {
  readonly video: Video;
  readonly a: OriginRegion;
  readonly b: OriginRegion;
  /** PEM file of the authority of both regions; null without TLS. */
  readonly caFile: string | null;
}

/** The name in the regions' certificates, for routers that do not look for addresses there. */
export const CERTIFIED_NAME = "media.bench";

/** A running router with one URL per site. */
export interface Router extends AsyncDisposable {
  readonly pid: number;
  readonly urls: readonly string[];
}

/** How often and how patiently the routers probe: the same for all that can be told. */
export interface ProbePolicy {
  readonly intervalMs: number;
  /** While a change is pending; null: the same interval. */
  readonly fastIntervalMs: number | null;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
}

/** What a probe asks a region's streaming service for, and what must stand in the answer. */
export function streamingCheck(video: Video): { readonly path: string; readonly expect: string } {
  return { path: manifestPath(video), expect: video.protocol === "hls" ? "#EXTM3U" : "<MPD" };
}

/** The key's path at a region's key host. Players ask for it below `/keys`, which the hosts take too. */
export const KEY_PATH = `/${KEY_ID}`;

/** `host:port` of a base URL. */
export function addressOf(base: string): string {
  return new URL(base).host;
}

export interface WorkDirectory extends AsyncDisposable {
  readonly path: string;
}

/** A directory that goes away with what uses it. */
export async function workDirectory(): Promise<WorkDirectory> {
  const path = await mkdtemp(join(tmpdir(), "paircast-bench-"));
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) };
}
