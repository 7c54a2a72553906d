/** The key probe: real key requests, their answers checked and compared between regions by fingerprint. The keys themselves are forgotten. */
import type { CanaryKey, Signal } from "../../core/contracts.ts";
import { withoutQuery } from "../../core/http.ts";
import { keyIdentity } from "../../core/playback/keyIdentity.ts";
import type { HttpAnswer } from "../../core/ports/http.ts";
import { askForTarget, keyTargets, type KeyTarget, type ProbedRegion } from "./canary.ts";
import { askForKey, type ProbeContext } from "./context.ts";
import { examineKey } from "./keyAnswer.ts";
import type { PlaylistKey } from "./playlistKeys.ts";
import { findingFrom, type Finding, type Probe } from "./probe.ts";
import { probeReachability } from "./reachability.ts";
import { signalsOf } from "./signals.ts";
import { joined, type NamedFinding } from "./verdicts.ts";

/** `base` is the region's key-delivery URL. One verdict over the keys of all canaries and over those that their playlists name. */
export function keyProbe(region: ProbedRegion, base: string, context: ProbeContext): Probe {
  const probe = new KeyProbe(region, base, context);
  return async (signal) => probe.run(signal);
}

/** What one run of the probe notices beside its verdict. */
interface Run {
  readonly signal: AbortSignal;
  refused: string | null;
  disputed: string | null;
}

class KeyProbe {
  readonly #region: string;
  readonly #base: string;
  readonly #context: ProbeContext;
  readonly #targets: ReturnType<typeof keyTargets>;
  /** Identities of the canaries' keys, by the place of the canary. */
  readonly #asked = new Map<number, string>();

  constructor(region: ProbedRegion, base: string, context: ProbeContext) {
    this.#region = region.name;
    this.#base = base;
    this.#context = context;
    this.#targets = keyTargets(region, context.canaries);
  }

  async run(signal: AbortSignal): Promise<Finding> {
    const run: Run = { signal, refused: null, disputed: null };
    const known = new Set(this.#asked.values());
    const learned = this.#context
      .playlistKeys(this.#region)
      .current()
      .filter(({ id }) => !known.has(id));
    const [certificate, canaries, others] = await Promise.all([
      this.#certificate(run),
      Promise.all(this.#targets.map(async (_, index) => this.#canary(index, learned.length > 0, run))),
      Promise.all(learned.map(async (key) => this.#fromPlaylist(key, run))),
    ]);
    const { events } = this.#context;
    events.unauthorized(this.#region, "keys", run.refused);
    events.keyDisputed(this.#region, run.disputed);
    return joined([...canaries, ...others, ...certificate].flatMap((each) => each ?? []));
  }

  async #certificate(run: Run): Promise<readonly NamedFinding[]> {
    const finding = await this.#guarded(run, async () => {
      const peer = await this.#context.handshake(this.#base);
      const certificateLeft = peer === null ? null : peer.expiresAt - this.#context.clock.now();
      const signals = signalsOf({ certificateLeft, skew: null, slowest: null, reads: [] }, this.#context.signals);
      return { ok: true, detail: "", signals };
    });
    return finding.ok && (finding.signals ?? []).length === 0 ? [] : [{ name: null, finding: withDetail(finding) }];
  }

  /** Null where there is no canary, and its playlists' keys have to do. */
  async #canary(index: number, hasOthers: boolean, run: Run): Promise<NamedFinding | null> {
    const { http, timeoutMs } = this.#context;
    const targets = this.#targets[index];
    if (targets === undefined) return null;
    let name: string | null = null;
    this.#asked.delete(index);
    const ask = async (target: KeyTarget): Promise<Finding> => {
      name = withoutQuery(target.key.path);
      if (!target.licence) this.#asked.set(index, keyIdentity(target.key.path));
      return this.#guarded(run, async () => this.#ask(target, run));
    };
    let isMissing = false;
    const reach = async (): Promise<Finding> => {
      isMissing = hasOthers;
      if (hasOthers) return { ok: true, detail: "" };
      return this.#guarded(run, async () => probeReachability(http, this.#base, timeoutMs, run.signal));
    };
    const finding = await askForTarget(targets, ask, reach);
    return isMissing ? null : { name: this.#targets.length > 1 ? name : null, finding };
  }

  async #fromPlaylist({ id, target, sure }: PlaylistKey, run: Run): Promise<NamedFinding | null> {
    // A key that somebody was given without a token is open: a refusal of it is a fault.
    const isOpen = this.#context.references.isOpen(id);
    const key: CanaryKey = { id, path: target, fingerprint: null, authorization: null, tokenUnavailable: !isOpen };
    const finding = await this.#guarded(run, async () => this.#ask({ key, licence: false }, run));
    if (!sure && !finding.ok && finding.reason === "not_found") return null;
    return { name: null, finding };
  }

  async #guarded({ signal }: Run, work: () => Promise<Finding>): Promise<Finding> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      return findingFrom(error);
    }
  }

  async #ask({ key, licence }: KeyTarget, run: Run): Promise<Finding> {
    const url = `${this.#base}${key.path}`;
    const headers = key.authorization === null ? {} : { authorization: key.authorization };
    const id = keyIdentity(key.path);
    const { references } = this.#context;
    try {
      const answer = await askForKey(this.#context, url, { headers, signal: run.signal });
      const finding = licence ? licenceFinding(answer, withoutQuery(url)) : this.#examined(answer, key, run);
      if (!finding.ok) references.forget(id, this.#region);
      return this.#timed(finding, answer, withoutQuery(url));
    } catch (error) {
      references.forget(id, this.#region);
      throw error;
    }
  }

  #examined(answer: HttpAnswer, known: CanaryKey, run: Run): Finding {
    const { finding, key } = examineKey(answer, this.#where(known));
    if (!finding.ok) return finding.reason === "unauthorized" ? this.#unauthorized(finding, known, run) : finding;
    return key === null ? finding : this.#compared(this.#context.fingerprint(key), known, run);
  }

  /** A token of ours that is refused may be our own fault: it wants somebody to look, and puts the region behind those that take it. */
  #unauthorized(finding: Finding, known: CanaryKey, run: Run): Finding {
    const { detail } = finding;
    if (known.tokenUnavailable) return { ok: true, detail: `${detail}: it answers; its policy wants a token, and none can be made here` };
    if (known.authorization === null) return finding;
    run.refused = detail;
    const signals: Signal[] = [{ kind: "unauthorized", detail: `${this.#where(known)} refuses a token that should be good` }];
    return { ok: true, detail: `${detail}: it answers, and refuses a token that should be good`, signals };
  }

  #compared(fingerprint: string, known: CanaryKey, run: Run): Finding {
    const where = this.#where(known);
    const { references } = this.#context;
    const id = keyIdentity(known.path);
    references.sighted(id, this.#region, fingerprint);
    if (known.authorization === null) references.opened(id);
    if (known.fingerprint !== null) {
      if (known.fingerprint === fingerprint) return { ok: true, detail: `${where}: the verified key` };
      return { ok: false, reason: "key_mismatch", detail: `${where} answered another key than the verified one` };
    }
    const { verdict, by } = references.judge(id, this.#region);
    if (verdict === "wrong") return { ok: false, reason: "key_mismatch", detail: `${where} answered another key than ${by}` };
    if (verdict === "disputed") run.disputed = `${where}: ${by}`;
    const said = { right: `the key, ${by}`, alone: "a key; which one it must be is not known", disputed: `a key; ${by}` }[verdict];
    return { ok: true, detail: `${where}: ${said}` };
  }

  #where({ path }: CanaryKey): string {
    return withoutQuery(`${this.#base}${path}`);
  }

  #timed(finding: Finding, { timing }: HttpAnswer, where: string): Finding {
    if (!finding.ok || timing === undefined) return finding;
    const slowest = { what: where, firstByteMs: timing.firstByteMs };
    const slow = signalsOf({ certificateLeft: null, skew: null, slowest, reads: [] }, this.#context.signals);
    return { ...finding, signals: [...(finding.signals ?? []), ...slow] };
  }
}

function withDetail(finding: Finding): Finding {
  return finding.ok ? { ...finding, detail: (finding.signals ?? []).map(({ detail }) => detail).join("; ") } : finding;
}

/** Without a DRM client a licence server refuses everybody, in a way of its own. */
function licenceFinding({ status }: HttpAnswer, where: string): Finding {
  const detail = `licence server ${where} answered ${status}`;
  return status < 500 ? { ok: true, detail } : { ok: false, reason: "status", detail };
}
