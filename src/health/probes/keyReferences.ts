/**
 * What the regions answered for the same key, by keyed fingerprint. The keys themselves are never kept.
 * A key that decrypts the video is the right one. Where that is not known, what most regions answer counts; of two, what both answered before.
 */

export interface KeyJudgement {
  readonly verdict: "right" | "wrong" | "disputed" | "alone";
  /** For people: by what it was judged. */
  readonly by: string;
}

interface Sighting {
  readonly fingerprint: string;
  readonly at: number;
  /** It did not decrypt the region's own copy of the video. */
  readonly disproven: boolean;
}

interface KnownKey {
  readonly sightings: Map<string, Sighting>;
  /** Fingerprints that decrypted a segment somewhere -> when last. */
  readonly proven: Map<string, number>;
  /** What all regions agreed on last. */
  agreed: string | null;
  /** It was given without a token. */
  isOpen: boolean;
}

/** Live videos change keys every few minutes; what nobody has answered lately is forgotten. */
const MOST_KEYS = 1_000;

export class KeyReferences {
  readonly #keys = new Map<string, KnownKey>();
  readonly #freshMs: number;
  readonly #monotonic: () => number;

  /** What is older than `freshMs` does not count: a region that is down says nothing about a key that was changed since. */
  constructor(freshMs: number, monotonic: () => number) {
    this.#freshMs = freshMs;
    this.#monotonic = monotonic;
  }

  /** The region answered a key with this fingerprint. */
  sighted(id: string, region: string, fingerprint: string): void {
    const known = this.#known(id);
    const before = known.sightings.get(region);
    const disproven = before?.fingerprint === fingerprint && before.disproven;
    known.sightings.set(region, { fingerprint, at: this.#monotonic(), disproven });
    const fresh = this.#fresh(known);
    if (fresh.length > 1 && fresh.every(([, sighting]) => sighting.fingerprint === fingerprint)) known.agreed = fingerprint;
  }

  /** The region's copy of the video was decrypted with it, or was not. */
  tried(id: string, region: string, fingerprint: string, decrypts: boolean): void {
    const known = this.#known(id);
    if (decrypts) known.proven.set(fingerprint, this.#monotonic());
    known.sightings.set(region, { fingerprint, at: this.#monotonic(), disproven: !decrypts });
  }

  /** The key was given without a token: a refusal is a fault then. */
  opened(id: string): void {
    this.#known(id).isOpen = true;
  }

  isOpen(id: string): boolean {
    return this.#keys.get(id)?.isOpen === true;
  }

  /** The region has no key to show now. */
  forget(id: string, region: string): void {
    this.#keys.get(id)?.sightings.delete(region);
  }

  /** True where a key with this fingerprint has decrypted the video somewhere: then a copy that it does not decrypt is damaged. */
  isProven(id: string, fingerprint: string): boolean {
    return this.#proven(this.#known(id)).includes(fingerprint);
  }

  /** Judges what the region answered last. */
  judge(id: string, region: string): KeyJudgement {
    const known = this.#known(id);
    const own = known.sightings.get(region);
    if (own === undefined) return { verdict: "alone", by: "nothing was seen" };
    const proven = this.#proven(known);
    const rivals = this.#fresh(known).filter(([, { fingerprint }]) => fingerprint !== own.fingerprint && proven.includes(fingerprint));
    if (proven.includes(own.fingerprint) && rivals.length > 0)
      return { verdict: "disputed", by: `it decrypts the video here, and another key does in ${rivals.map(([name]) => name).join(", ")}` };
    if (proven.length > 0) return judged(proven.includes(own.fingerprint), "the one that decrypts the video");
    if (own.disproven) return judged(false, "the one that decrypts the video");
    return this.#compared(known, own);
  }

  #compared(known: KnownKey, own: Sighting): KeyJudgement {
    const fresh = this.#fresh(known).map(([, sighting]) => sighting.fingerprint);
    if (fresh.every((fingerprint) => fingerprint === own.fingerprint))
      return fresh.length > 1 ? judged(true, "the one of the other regions") : { verdict: "alone", by: "no other region answers it" };
    const most = majority(fresh);
    if (most !== null) return judged(most === own.fingerprint, "the one of most regions");
    if (known.agreed !== null && fresh.includes(known.agreed))
      return judged(known.agreed === own.fingerprint, "the one that all regions answered before");
    return { verdict: "disputed", by: "other regions answer another key, and nothing says which is right" };
  }

  #fresh({ sightings }: KnownKey): [string, Sighting][] {
    const since = this.#monotonic() - this.#freshMs;
    return [...sightings].filter(([, { at }]) => at >= since);
  }

  #proven({ proven }: KnownKey): string[] {
    const since = this.#monotonic() - this.#freshMs;
    return [...proven].flatMap(([fingerprint, at]) => (at >= since ? [fingerprint] : []));
  }

  #known(id: string): KnownKey {
    const known = this.#keys.get(id) ?? {
      sightings: new Map<string, Sighting>(),
      proven: new Map<string, number>(),
      agreed: null,
      isOpen: false,
    };
    // The order of the map is the order of use.
    this.#keys.delete(id);
    this.#keys.set(id, known);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= MOST_KEYS) break;
      this.#keys.delete(oldest);
    }
    return known;
  }
}

function judged(isRight: boolean, by: string): KeyJudgement {
  return { verdict: isRight ? "right" : "wrong", by };
}

/** What more than half of at least three say; null where there is no such thing. */
function majority(fingerprints: readonly string[]): string | null {
  if (fingerprints.length < 3) return null;
  const counts = new Map<string, number>();
  for (const fingerprint of fingerprints) counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
  for (const [fingerprint, count] of counts) if (count * 2 > fingerprints.length) return fingerprint;
  return null;
}
