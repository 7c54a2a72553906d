/** A video in memory under an origin, and the walk through it, for the tests of playback. */
import { PlaybackFailure } from "../../src/core/playback/failure.ts";
import { walkPlayback, type Playback, type WalkOptions } from "../../src/core/playback.ts";
import type { HttpAnswer } from "../../src/core/ports/http.ts";
import { FileHttpClient } from "./fileHttpClient.ts";
import { packageVideo, testKey, text, type Files, type PackagingOptions } from "./packagedVideo.ts";

export const ORIGIN = "https://we.example";
export const KEY_URI = "https://keys.example/?kid=11111111-2222-4333-8444-555555555555";
export const encryption = { key: testKey("right"), keyUri: KEY_URI };

export interface Stage {
  readonly files: Files;
  readonly http: FileHttpClient;
  walk(options?: Partial<WalkOptions>): Promise<Playback>;
  /** The failure of a walk that has to fail. */
  failure(options?: Partial<WalkOptions>): Promise<PlaybackFailure>;
}

/** A video packaged under `/v/`. */
export function stage(options: PackagingOptions = {}): Stage {
  const files = packageVideo("/v/", options);
  const http = new FileHttpClient(ORIGIN, files);
  const walk = async (walkOptions: Partial<WalkOptions> = {}): Promise<Playback> =>
    walkPlayback({ http, manifestUrl: `${ORIGIN}/v/master.m3u8`, timeoutMs: 1000, ...walkOptions });
  const failure = async (walkOptions: Partial<WalkOptions> = {}): Promise<PlaybackFailure> => {
    const seen: unknown = await walk(walkOptions).catch((error: unknown) => error);
    if (seen instanceof PlaybackFailure) return seen;
    throw new Error("expected a PlaybackFailure", { cause: seen });
  };
  return { files, http, walk, failure };
}

export function answer(status: number, body: string, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers, body: text(body) };
}
