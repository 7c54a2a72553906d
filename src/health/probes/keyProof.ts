/** Gets the keys that a video's playlists name, and tries them on its segments. */
import type { CanaryKey } from "../../core/contracts.ts";
import { withoutQuery } from "../../core/http.ts";
import { keyIdentity } from "../../core/playback/keyIdentity.ts";
import type { PlaybackKey } from "../../core/playback/media.ts";
import { decryptBeginning, looksLikeMedia } from "../../core/playback/sample.ts";
import type { TrackPlayback } from "../../core/playback.ts";
import type { ProbedRegion } from "./canary.ts";
import { askForKey, reasonOf, type ProbeContext } from "./context.ts";
import { examineKey } from "./keyAnswer.ts";
import { keyPlace, type KeyPlace } from "../../core/playback/keyPlace.ts";
import type { Finding } from "./probe.ts";

export interface ProofResult {
  /** What the streaming service is to blame for. */
  readonly failure: Finding | null;
  /** For people; whatever ails the key delivery is left to its own probe. */
  readonly notes: readonly string[];
}

/** Whole cipher blocks and whole packets of a transport stream. */
const PROOF_BYTES = 188 * 16;

interface NeededKey {
  readonly declared: PlaybackKey;
  readonly place: KeyPlace;
  readonly id: string;
}

export class KeyProof {
  readonly #region: ProbedRegion;
  readonly #context: ProbeContext;

  constructor(region: ProbedRegion, context: ProbeContext) {
    this.#region = region;
    this.#context = context;
  }

  /** `video` names the canary, `known` is what is known of its key. Rejects with what `signal` aborts with. */
  async check(video: string, played: readonly TrackPlayback[], known: CanaryKey | null, signal: AbortSignal): Promise<ProofResult> {
    const needed = new Map(played.flatMap(({ key }) => this.#needed(key)).map((key) => [key.declared.uri, key]));
    this.#learn(video, [...needed.values()], known);
    const notes: string[] = [];
    for (const key of needed.values()) {
      const { failure, note } = await this.#try(key, played, known, signal);
      if (failure !== null) return { failure, notes };
      if (note !== null) notes.push(note);
    }
    return { failure: null, notes };
  }

  #needed(declared: PlaybackKey | null): NeededKey[] {
    if (declared === null || declared.method !== "AES-128") return [];
    const { regions, keyDoor } = this.#context;
    const others = regions.filter(({ name }) => name !== this.#region.name);
    const place = keyPlace(declared.uri, this.#region, others, keyDoor);
    return place === null ? [] : [{ declared, place, id: keyIdentity(place.target) }];
  }

  /** So that the key probe asks for them too, beside the keys that it knows by itself. */
  #learn(video: string, needed: readonly NeededKey[], known: CanaryKey | null): void {
    const delivered = needed.find(({ place, id }) => place.service === "keys" && !isSame(known, id));
    const learned =
      delivered?.place.service === "keys" ? { id: delivered.id, target: delivered.place.target, sure: delivered.place.sure } : null;
    this.#context.playlistKeys(this.#region.name).learn(video, learned);
  }

  async #try(needed: NeededKey, played: readonly TrackPlayback[], known: CanaryKey | null, signal: AbortSignal): Promise<Tried> {
    const { finding, key } = await this.#get(needed, known, signal);
    const isOwn = needed.place.service === "streaming";
    if (!finding.ok) return isOwn ? { failure: finding, note: null } : { failure: null, note: `its key: ${finding.detail}` };
    if (key === null) return NOTHING;
    const attempts = played.flatMap((track) => decrypts(track, needed.declared.uri, key) ?? []);
    if (attempts.length === 0) return NOTHING;
    return this.#judged(needed, this.#context.fingerprint(key), attempts.every(Boolean), known);
  }

  async #get({ place, declared, id }: NeededKey, known: CanaryKey | null, signal: AbortSignal): Promise<ReturnType<typeof examineKey>> {
    const url = place.service === "keys" ? `${this.#region.keys ?? ""}${place.target}` : declared.uri;
    const authorization = isSame(known, id) ? (known?.authorization ?? null) : null;
    try {
      const headers = authorization === null ? {} : { authorization };
      return examineKey(await askForKey(this.#context, url, { headers, signal }), `key ${withoutQuery(url)}`);
    } catch (error) {
      const reason = reasonOf(error);
      if (signal.aborted || reason === null) throw error;
      return { finding: { ok: false, reason, detail: `key ${withoutQuery(url)}: ${reason}` }, key: null };
    }
  }

  /** A copy that a proven key does not decrypt is damaged. An unproven key that does not decrypt it is the wrong one. */
  #judged({ place, id, declared }: NeededKey, fingerprint: string, isDecrypted: boolean, known: CanaryKey | null): Tried {
    const { references } = this.#context;
    const isRight = references.isProven(id, fingerprint) || (isSame(known, id) && known?.fingerprint === fingerprint);
    // A copy of the playlist that names another region's key says nothing about this region's key delivery.
    if (place.service !== "elsewhere") references.tried(id, this.#region.name, fingerprint, isDecrypted);
    else if (isDecrypted) references.tried(id, "elsewhere", fingerprint, true);
    if (isDecrypted) return { failure: null, note: "decrypted with its key" };
    const where = withoutQuery(declared.uri);
    if (isRight) return failing("segment", `segment does not decrypt to media with the right key, ${where}`);
    if (place.service === "keys") return { failure: null, note: `does not decrypt with the key that ${where} answers` };
    return failing("key_mismatch", `segment does not decrypt to media with the key ${where}`);
  }
}

interface Tried {
  readonly failure: Finding | null;
  readonly note: string | null;
}

const NOTHING: Tried = { failure: null, note: null };

function failing(reason: "segment" | "key_mismatch", detail: string): Tried {
  return { failure: { ok: false, reason, detail }, note: null };
}

function isSame(known: CanaryKey | null, id: string): boolean {
  return known !== null && (known.id === id || keyIdentity(known.path) === id);
}

/** Null where the track has another key, or one that nothing can be decrypted with. */
function decrypts({ key: declared, segment }: TrackPlayback, uri: string, key: Uint8Array): boolean | null {
  if (declared === null || declared.uri !== uri || declared.iv === null) return null;
  return looksLikeMedia(decryptBeginning(segment.content.subarray(0, PROOF_BYTES), key, declared.iv));
}
