/** Answers to manifest requests that hold for everybody who asks for the same, ready to be written. */
import { LRUCache } from "lru-cache";
import type { Decision, DecisionReason, PlaybackRequest } from "../../core/contracts.ts";
import { accessOutcome, loggedPath } from "../access.ts";
import type { Holdings } from "../eligibility.ts";
import type { Fallback, Outcome } from "../outcome.ts";
import type { Answer } from "../respond.ts";
import { headUpToDate, wholeBody, type WholeBody } from "../wholeHead.ts";
import { isWorthIt } from "./compression.ts";
import type { Rewritten } from "./rewriteRoute.ts";

export interface Prepared {
  readonly request: PlaybackRequest;
  readonly host: string;
  /** By which players of this answer reach the gateway. */
  readonly gateway: string | null;
  /** It holds as long as this is the router's epoch. */
  readonly epoch: object;
  /** And these are what is known of a video that the catalogue does not know; null: the epoch says all. */
  readonly holdings: Holdings | null;
  /** And it is not later than this, in monotonic milliseconds. */
  readonly until: number;
  readonly told: Told;
  readonly plain: Written;
  /** Another form for those who take gzip; null: nobody has asked for it yet. */
  readonly gzip: Written | "as plain" | null;
  /** The access log's fields between method and duration. */
  readonly logged: string;
}

export interface Written {
  /** Up to the value of Date. */
  readonly head: string;
  readonly body: WholeBody | null;
}

/** What is recorded of each answer. One object for all that are alike: memory that is far away costs as much as code. */
export interface Told {
  readonly kind: PlaybackRequest["kind"];
  readonly source: Rewritten["located"]["source"];
  readonly status: number;
  readonly mode: Outcome["mode"];
  readonly reason: DecisionReason;
  readonly region: string | null;
  readonly fallback: Fallback | null;
}

export interface AskedBy {
  readonly request: PlaybackRequest;
  readonly host: string | null;
  readonly gateway: string | null;
}

/** Heads and log lines, beside the text. */
const OVERHEAD = 2_000;
/** Names of the gateway by which one manifest is asked for. */
const MOST_NAMES = 4;
/** Combinations of kind, source, mode, reason and region: a handful. */
const MOST_TOLD = 256;

export class PreparedAnswers {
  readonly #answers: LRUCache<string, readonly Prepared[]>;
  readonly #told = new Map<string, Told>();

  constructor(options: { readonly entries: number; readonly cacheBytes: number }) {
    this.#answers = new LRUCache({
      max: options.entries,
      maxSize: options.cacheBytes,
      sizeCalculation: (answers) => answers.reduce((sum, { plain, gzip }) => sum + lengthOf(plain) + lengthOf(gzip) + OVERHEAD, 0),
    });
  }

  /** Those for one target, by whichever name the gateway was asked for it. */
  get(target: string): readonly Prepared[] | undefined {
    return this.#answers.get(target);
  }

  /** Keeps an answer that others will get, too, and its compressed form where the one who asked took that. */
  keep({ request, host, gateway }: AskedBy, { outcome, located, epoch, until }: Rewritten, compressed: Answer | null): void {
    const { answer, decision, reason, mode, fallback } = outcome;
    if (epoch === null || until === null || host === null || decision === null || answer.body instanceof Uint8Array) return;
    const { kind, target } = request;
    const facts = { kind, mode, status: answer.status, reason, origin: decision.region, decision, fallback };
    const prepared: Prepared = {
      request,
      host,
      gateway,
      epoch,
      holdings: located.source === "catalogue" ? null : located.holdings,
      until,
      told: this.#toldOf(kind, located.source === "asked" ? "cached" : located.source, outcome, decision),
      ...formsOf(answer, compressed),
      logged: `,"path":${loggedPath(target)}${accessOutcome(facts)}`,
    };
    const others = (this.#answers.get(target) ?? []).filter((each) => each.host !== host || each.gateway !== gateway);
    this.#answers.set(target, [prepared, ...others].slice(0, MOST_NAMES));
  }

  #toldOf(kind: Told["kind"], source: Told["source"], { answer, mode, fallback }: Outcome, { reason, region }: Decision): Told {
    const told = { kind, source, status: answer.status, mode, reason, region, fallback: fallback ?? null };
    const key = JSON.stringify(told);
    const known = this.#told.get(key);
    if (known !== undefined) return known;
    if (this.#told.size >= MOST_TOLD) this.#told.clear();
    this.#told.set(key, told);
    return told;
  }
}

function formsOf(answer: Answer, compressed: Answer | null): Pick<Prepared, "plain" | "gzip"> {
  return { plain: writtenOf(answer), gzip: isWorthIt(answer) ? compressed && writtenOf(compressed) : "as plain" };
}

function writtenOf({ status, headers, body }: Answer): Written {
  return { head: headUpToDate(status, Object.entries(headers)), body: body === null ? null : wholeBody(body) };
}

function lengthOf(written: Prepared["gzip"]): number {
  return typeof written === "object" ? (written?.body?.length ?? 0) : 0;
}
