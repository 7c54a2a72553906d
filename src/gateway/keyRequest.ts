/** A request for a key as the regions are asked it, and what came of it. */
import type { Decision, FailureReason, PlaybackRequest } from "../core/contracts.ts";
import type { Holdings } from "./eligibility.ts";
import type { UpstreamHeaders } from "./upstream.ts";

/** One player's request for a key. */
export interface KeyRequest {
  readonly request: PlaybackRequest;
  readonly method: "GET" | "HEAD" | "POST";
  /** Header fields for the key host. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly holdings: Holdings;
  /** Where the viewer asks from, behind whatever proxies: tells viewers apart for health, which believes their failures once enough have them. */
  readonly place: string | null;
  /** Decides with what has been learnt since the first try. */
  readonly decide: (holdings: Holdings, tried: ReadonlySet<string>) => Decision;
}

export type KeyResult =
  | {
      readonly type: "key";
      readonly decision: Decision;
      readonly status: number;
      readonly headers: UpstreamHeaders;
      readonly body: Uint8Array;
    }
  | { readonly type: "refused"; readonly decision: Decision; readonly status: number }
  /** No region is left. `failure` is what the last one that was tried did, null where none was. */
  | { readonly type: "exhausted"; readonly decision: Decision; readonly failure: FailureReason | null };
