/**
 * Starts plays as a player does, again and again: manifest, playlists, initialisation sections, first or newest segments of picture and sound,
 * key. A play fails where a viewer would see nothing, an error, or the wrong thing. Reads what `origin/video.ts` writes, with a few
 * patterns of its own and none of the project's parsers.
 */
import { createDecipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request, type Dispatcher } from "undici";
import type { Video } from "./origin/faults.ts";
import { dashListing, hlsListing, Unplayable, type Listing } from "./playerManifest.ts";
import { KEY_HOST, manifestPath, SEGMENT_MS } from "./origin/video.ts";

/** A manifest or key that comes later keeps a viewer waiting longer than anybody does. */
const PATIENCE_MS = 1_500;
/** A segment that takes longer than it lasts stalls. */
const SEGMENT_PATIENCE_MS = SEGMENT_MS;
/** Media3 gives up on a playlist that does not change for 3.5 target durations; this player, like AVPlayer, complains at 1.75. */
const STALE_MS = 1.75 * SEGMENT_MS;
/** Regions may be this far apart: players that change over do not notice. */
const SKEW_SEGMENTS = 2;
const CLOCK_TOLERANCE_MS = 30_000;
const MAX_REDIRECTS = 3;

export interface PlayerOptions {
  /** URL of the router; keys are asked for there too, as their host name would be pointed at it. */
  readonly router: string;
  readonly video: Video;
  /** PEM file of the authority to trust. */
  readonly caFile?: string;
  /** How many times longer than a viewer it waits; default 1. Above it, no pause of the machine is taken for the origin's. */
  readonly patience?: number;
}

export interface Play {
  /** When it started and ended, by `performance.now()`. */
  readonly at: number;
  readonly ended: number;
  /** Why it failed, for people; null where it played. */
  readonly failure: string | null;
  /** Host that the manifest came from in the end. */
  readonly host: string;
}

interface Got {
  readonly url: string;
  readonly body: Buffer;
  readonly host: string;
}

export class Player {
  readonly plays: Play[] = [];
  readonly #options: PlayerOptions;
  readonly #agent: Agent;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  /** Newest segment seen, and when it was seen first. */
  #newest = { number: -1, at: 0 };
  /** Rendition -> names of segments as the play before had them. */
  readonly #names = new Map<string, ReadonlyMap<number, string>>();
  #count = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#agent = new Agent({
      keepAliveTimeout: 2_000,
      connect: options.caFile === undefined ? {} : { ca: readFileSync(options.caFile, "utf8") },
    });
  }

  /** Starts plays at that many per second until it is stopped. */
  start(perSecond: number): void {
    this.#timer = setInterval(() => {
      const running = this.play().then((play) => {
        this.plays.push(play);
        this.#running.delete(running);
      });
      this.#running.add(running);
    }, 1000 / perSecond);
  }

  /** Resolves when every play that was started has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all(this.#running);
    this.#stop.abort();
    await this.#agent.destroy();
  }

  /** One play. Never rejects. */
  async play(): Promise<Play> {
    const at = performance.now();
    let host = "";
    this.#count += 1;
    const rendition = this.#count % 2 === 0 ? "v1" : "v2";
    try {
      const manifest = await this.#get(`${this.#options.router}${manifestPath(this.#options.video)}`, "manifest", PATIENCE_MS);
      host = manifest.host;
      const listings = await Promise.all([rendition, "a1"].map(async (track) => this.#listing(manifest, track)));
      listings.forEach((listing) => this.#checkClock(listing));
      const [picture] = listings;
      if (picture !== undefined) this.#checkProgress(picture, rendition, at);
      const key = await this.#key(picture?.key ?? null);
      await Promise.all(listings.map(async (listing) => this.#media(listing, key)));
      return { at, ended: performance.now(), failure: null, host };
    } catch (error) {
      return { at, ended: performance.now(), failure: error instanceof Error ? error.message : String(error), host };
    }
  }

  async #listing(manifest: Got, track: string): Promise<Listing> {
    const text = manifest.body.toString("utf8");
    if (this.#options.video.protocol === "dash") return dashListing(text, manifest.url, track);
    if (!text.startsWith("#EXTM3U")) throw new Unplayable("the manifest is no playlist");
    if (!text.includes(`${track}.m3u8`)) throw new Unplayable(`the manifest lists no ${track}`);
    const playlist = await this.#get(new URL(`${track}.m3u8`, manifest.url).href, `playlist of ${track}`, PATIENCE_MS);
    return hlsListing(playlist.body.toString("utf8"), playlist.url);
  }

  #checkClock({ clock }: Listing): void {
    if (clock === null || Math.abs(clock - Date.now()) <= CLOCK_TOLERANCE_MS) return;
    throw new Unplayable("the origin's clock is wrong");
  }

  /** Live: newer than what was seen before, and in time; segments keep their names. */
  #checkProgress({ first, segments }: Listing, rendition: string, at: number): void {
    if (!this.#options.video.live) return;
    const newest = first + segments.length - 1;
    const names = new Map(segments.map((url, index) => [first + index, new URL(url).pathname]));
    const before = this.#names.get(rendition);
    const renamed = [...names].find(([number, name]) => (before?.get(number) ?? name) !== name);
    this.#names.set(rendition, names);
    const seen = this.#newest;
    if (newest > seen.number) this.#newest = { number: newest, at };
    if (renamed !== undefined) throw new Unplayable("a published segment has another name than before");
    if (newest < seen.number - SKEW_SEGMENTS) throw new Unplayable("the playlist went back");
    if (newest <= seen.number && at - seen.at > STALE_MS) throw new Unplayable("nothing new in the playlist");
  }

  async #key(key: Listing["key"]): Promise<Buffer | null> {
    if (!this.#options.video.encrypted) return null;
    if (key === null) throw new Unplayable("an encrypted video without a key");
    const { body } = await this.#get(key.uri.replace(KEY_HOST, this.#options.router), "key", PATIENCE_MS);
    if (body.length !== 16) throw new Unplayable(`a key of ${body.length} bytes`);
    return body;
  }

  async #media(listing: Listing, key: Buffer | null): Promise<void> {
    const { segments, first, init } = listing;
    const index = this.#options.video.live ? segments.length - 1 : this.#count % segments.length;
    const url = segments[index];
    if (url === undefined) throw new Unplayable("no segment listed");
    const [header, segment] = await Promise.all([
      this.#get(init, "initialisation section", SEGMENT_PATIENCE_MS),
      this.#get(url, "segment", SEGMENT_PATIENCE_MS),
    ]);
    if (boxType(header.body) !== "ftyp") throw new Unplayable("the initialisation section is no media");
    const clear = key === null || listing.key === null ? segment.body : decrypted(segment.body, key, listing.key.iv);
    if (boxType(clear) !== "moof") throw new Unplayable("the segment is no media");
    if (decodeTime(clear) !== (first + index) * SEGMENT_MS) throw new Unplayable("the segment is of another time");
  }

  /** Follows redirects. A kept connection that the other side has closed is replaced once, as browsers do. */
  async #get(from: string, what: string, patienceMs: number): Promise<Got> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(patienceMs * (this.#options.patience ?? 1))]);
    let url = from;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await this.#ask(url, what, signal);
      const { location } = answer.headers;
      if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === "string") {
        await answer.body.dump();
        url = new URL(location, url).href;
        continue;
      }
      const body = await bodyOf(answer, what);
      if (answer.statusCode !== 200) throw new Unplayable(`${what}: ${answer.statusCode}`);
      return { url, body, host: new URL(url).hostname };
    }
    throw new Unplayable(`${what}: too many redirects`);
  }

  async #ask(url: string, what: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    for (let retry = 0; ; retry += 1) {
      try {
        return await request(url, { dispatcher: this.#agent, signal });
      } catch (error) {
        const code = codeOf(error);
        if (retry > 0 || (code !== "UND_ERR_SOCKET" && code !== "ECONNRESET")) throw new Unplayable(`${what}: ${code}`, { cause: error });
      }
    }
  }
}

async function bodyOf(answer: Dispatcher.ResponseData, what: string): Promise<Buffer> {
  try {
    return Buffer.from(await answer.body.arrayBuffer());
  } catch (error) {
    throw new Unplayable(`${what}: ${codeOf(error)} in the body`, { cause: error });
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function boxType(bytes: Buffer): string {
  return bytes.subarray(4, 8).toString("latin1");
}

function decrypted(bytes: Buffer, key: Buffer, iv: Buffer): Buffer {
  try {
    const decipher = createDecipheriv("aes-128-cbc", key, iv);
    return Buffer.concat([decipher.update(bytes), decipher.final()]);
  } catch {
    throw new Unplayable("the segment does not decrypt");
  }
}

/** Of the fragment's only track, in milliseconds. */
function decodeTime(bytes: Buffer): number {
  const at = bytes.indexOf("tfdt", 0, "latin1");
  return at < 0 ? Number.NaN : bytes.readUInt32BE(at + 8) * 0x1_0000_0000 + bytes.readUInt32BE(at + 12);
}
