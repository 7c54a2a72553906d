/** The keys that the playlists of one packaged video declare: got as a player gets them, kept as ids and fingerprints. */
import { createHash } from "node:crypto";
import type { CataloguedKey, PlaylistKeyHost, Region } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import { HttpFailure, withoutQuery } from "../core/http.ts";
import { scrub } from "../core/log.ts";
import { PlaybackFailure } from "../core/playback/failure.ts";
import { keyIdentity } from "../core/playback/keyIdentity.ts";
import { keyHostOf, keyPlace, movedUri, type KeyDoor, type KeyPlace, type KeyRegion } from "../core/playback/keyPlace.ts";
import type { PlaybackKey } from "../core/playback/media.ts";
import { KEY_BYTES } from "../core/playback/sample.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import { keyStatusReason, type ContentKeySource, type ServingChecks } from "./serving.ts";

export interface PlaylistKeysOptions {
  readonly checks: ServingChecks;
  /** Whose copy is looked at. */
  readonly region: Region;
  /** Whose copy is the original. */
  readonly source: Region;
  readonly regions: readonly Region[];
  /** How the gateway's own key URLs are recognised. */
  readonly door: KeyDoor;
  readonly fingerprint: Fingerprint;
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_ANSWER_BYTES = 64 * 1024;

export class PlaylistKeys {
  readonly #options: PlaylistKeysOptions;
  readonly #here: KeyRegion;
  readonly #original: KeyRegion;
  readonly #others: readonly KeyRegion[];
  readonly #asked = new Map<string, Promise<Uint8Array | null>>();
  readonly #found = new Map<string, CataloguedKey>();
  #host: PlaylistKeyHost | null = null;

  constructor(options: PlaylistKeysOptions) {
    this.#options = options;
    const { region, source, regions } = options;
    this.#here = keyRegion(region);
    this.#original = keyRegion(source);
    this.#others = regions.filter(({ name }) => name !== region.name).map(keyRegion);
  }

  /** Those that were asked for until now; empty for a clear video. */
  get found(): readonly CataloguedKey[] {
    return [...this.#found.values()];
  }

  /** Where players are sent for the first of them, by the original's playlists; null for a clear video. */
  get host(): PlaylistKeyHost | null {
    return this.#host;
  }

  /** Null where it wants a token, or is nobody's here; rejects with `PlaybackFailure` where a player would fail, too. */
  readonly contentKey: ContentKeySource = async (declared) => {
    const known = this.#asked.get(declared.uri) ?? this.#get(declared);
    this.#asked.set(declared.uri, known);
    return known;
  };

  async #get({ uri }: PlaybackKey): Promise<Uint8Array | null> {
    const { door, fingerprint } = this.#options;
    const place = keyPlace(uri, this.#here, this.#others, door);
    const key = place === null ? null : await this.#ask(place);
    this.#host ??= keyHostOf(movedUri(uri, this.#here, this.#original), this.#original, door);
    const id = keyId(keyIdentity(place?.target ?? uri));
    this.#found.set(id, { id, fingerprint: key?.length === KEY_BYTES ? fingerprint(key) : null });
    return key;
  }

  /** What another host says is no verdict on this region. */
  async #ask(place: KeyPlace): Promise<Uint8Array | null> {
    const isOwn = isOwnPlace(place);
    try {
      const key = await this.#askAt(place.service === "keys" ? `${this.#here.keys ?? ""}${place.target}` : place.url);
      return isOwn || key?.length === KEY_BYTES ? key : null;
    } catch (error) {
      if (!isOwn && error instanceof PlaybackFailure) return null;
      throw error;
    }
  }

  async #askAt(url: string): Promise<Uint8Array | null> {
    const { http, timeoutMs, signal } = this.#options.checks;
    try {
      const { status, body } = await http.ask({ method: "GET", url, timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal });
      if (status === 200) return body;
      if (status === 401 || status === 403) return null;
      throw new PlaybackFailure(keyStatusReason(status), "key", `key ${withoutQuery(url)} answered ${status}`);
    } catch (error) {
      if (errorCode(error) === "not_configured") return null;
      if (error instanceof HttpFailure) throw new PlaybackFailure(error.reason, "key", scrub(errorChain(error)), error);
      throw error;
    }
  }
}

function isOwnPlace(place: KeyPlace): boolean {
  return place.service === "keys" ? place.sure : place.service === "streaming";
}

function keyRegion({ name, streaming, keys }: Region): KeyRegion {
  return { name, streaming, ...(keys === null ? {} : { keys }) };
}

/** The `kid` that the URI names, or a GUID (RFC 9562, version 8) that follows from its path, the same in every region. */
function keyId(identity: string): string {
  if (GUID.test(identity)) return identity;
  const bytes = createHash("sha256").update(identity).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
