/** Answers to manifest requests that hold for everybody who asks for the same, ready to be written. */
import { LRUCache } from "lru-cache";
import type { PlaybackRequest } from "../../core/contracts.ts";
import { accessOutcome, loggedPath } from "../access.ts";
import type { Holdings } from "../eligibility.ts";
import type { Outcome } from "../outcome.ts";
import { headUpToDate, type WholeBody } from "../wholeHead.ts";
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
  readonly outcome: Outcome;
  readonly source: Rewritten["located"]["source"];
  /** Up to the value of Date. */
  readonly head: string;
  readonly body: WholeBody | null;
  /** The access log's fields between method and duration. */
  readonly logged: string;
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

export class PreparedAnswers {
  readonly #answers: LRUCache<string, readonly Prepared[]>;

  constructor(options: { readonly entries: number; readonly cacheBytes: number }) {
    this.#answers = new LRUCache({
      max: options.entries,
      maxSize: options.cacheBytes,
      sizeCalculation: (answers) => answers.reduce((sum, { body }) => sum + (body?.text.length ?? 0) + OVERHEAD, 0),
    });
  }

  /** Those for one target, by whichever name the gateway was asked for it. */
  get(target: string): readonly Prepared[] | undefined {
    return this.#answers.get(target);
  }

  /** Keeps an answer that others will get, too. */
  keep({ request, host, gateway }: AskedBy, { outcome, located, epoch, until }: Rewritten): void {
    const { answer, decision, reason, mode, fallback } = outcome;
    if (epoch === null || until === null || host === null || decision === null || answer.body instanceof Uint8Array) return;
    const { kind, target } = request;
    const facts = { kind, mode, status: answer.status, reason, origin: decision.region, decision, fallback };
    const prepared = {
      request,
      host,
      gateway,
      epoch,
      holdings: located.source === "catalogue" ? null : located.holdings,
      until,
      outcome,
      source: located.source === "asked" ? "cached" : located.source,
      head: headUpToDate(answer.status, Object.entries(answer.headers)),
      body: answer.body === null ? null : wholeBody(answer.body),
      logged: `,"path":${loggedPath(target)}${accessOutcome(facts)}`,
    };
    const others = (this.#answers.get(target) ?? []).filter((each) => each.host !== host || each.gateway !== gateway);
    this.#answers.set(target, [prepared, ...others].slice(0, MOST_NAMES));
  }
}

function wholeBody(text: string): WholeBody {
  return { text, encoding: Buffer.byteLength(text) === text.length ? "latin1" : "utf8" };
}
