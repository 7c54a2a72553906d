/** The part of a player that differs from player to player: where it asks for a segment, how long it waits, and what a failure makes of it. */
import type { Clock, Random } from "../../src/core/clock.ts";
import type { Network } from "./network.ts";
import type { TrackKind } from "./playback.ts";
import { readMediaPlaylist, type MediaPlaylist, type Pathway, type Presentation, type Segment, type Source } from "./presentation.ts";
import type { RegionName } from "./regions.ts";

/** The player gives up; `message` is its own word for it. What is buffered still plays. */
export class Fatal extends Error {}

export type Piece =
  | { readonly type: "segment"; readonly segment: Segment; readonly region: RegionName | null }
  /** It goes on with this number: what lies before is lost to it. */
  | { readonly type: "gap"; readonly next: number }
  | { readonly type: "end" };

/** What a driver works with. */
export interface Tools {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly presentation: Presentation;
  /** Aborts when the player stops or loads anew. */
  readonly signal: AbortSignal;
}

export interface Driver {
  /** The newest playlist of a track, loaded if there is none. */
  listed(kind: TrackKind): Promise<MediaPlaylist>;
  /** Loads a segment, as often as it takes. Rejects with `Fatal`. */
  piece(kind: TrackKind, number: number): Promise<Piece>;
  /** A steering manifest has come. */
  steer(priority: readonly string[], ttlSeconds: number): void;
  /** The pathway that it tells the steering server. */
  readonly pathway: string;
}

/** Media playlists that a player has loaded, and how soon it may load a live one again. */
export class Playlists {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly media: MediaPlaylist; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null where it has to be loaded: never loaded, or live and without the wanted segment. */
  usable(source: Source, number: number | null): MediaPlaylist | null {
    const media = source.media ?? this.#known.get(source.url)?.media;
    if (media === undefined) return null;
    const newest = media.segments.at(-1)?.number ?? -1;
    return media.live && number !== null && newest < number ? null : media;
  }

  /** Milliseconds until it may be loaded again: half a target duration after the last time (RFC 8216 §6.3.4). */
  pause(source: Source): number {
    const known = this.#known.get(source.url);
    return known === undefined ? 0 : Math.max(0, known.at + known.media.targetDuration * 500 - this.#clock.monotonic());
  }

  keep(source: Source, text: string, url: string): MediaPlaylist {
    const media = readMediaPlaylist(text, url);
    this.#known.set(source.url, { media, at: this.#clock.monotonic() });
    return media;
  }
}

/** What the playlist says of a number: its segment, or why there is none. */
export function lookUp(media: MediaPlaylist, number: number): Segment | Exclude<Piece, { type: "segment" }> {
  const first = media.segments[0]?.number ?? 0;
  const found = media.segments[number - first];
  if (found !== undefined) return found;
  return media.live && number < first ? { type: "gap", next: first } : { type: "end" };
}

export function isPiece(found: Segment | Piece): found is Piece {
  return "type" in found;
}

/** Rejects for an id that the manifest does not have. */
export function pathwayOf({ pathways }: Presentation, id: string): Pathway {
  const found = pathways.find((pathway) => pathway.id === id);
  if (found === undefined) throw new Error(`the manifest has no pathway ${id}`);
  return found;
}

export function has({ pathways }: Presentation, id: string): boolean {
  return pathways.some((pathway) => pathway.id === id);
}

/** The source of a track: of the variant at `level`, and the only one of audio. */
export function sourceOf(pathway: Pathway, kind: TrackKind, level: number): Source {
  const source = kind === "audio" ? pathway.audio[0] : pathway.video[level];
  if (source === undefined) throw new Error(`pathway ${pathway.id} has no ${kind} ${level}`);
  return source;
}
