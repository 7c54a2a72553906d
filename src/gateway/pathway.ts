/** What the manifest kernels (HLS and DASH) have in common: the regions to write into a manifest, and what came of it. Types only. */

/** One region as content steering names it, with its copy of a manifest. */
export interface Pathway {
  /** The region's name: `[A-Za-z0-9._-]+`. */
  readonly id: string;
  /** Absolute URL of this very manifest at the region, with its query. */
  readonly url: string;
}

export interface SteerOptions {
  /** Best first, every region once, at least one. */
  readonly pathways: readonly Pathway[];
  /** Id of the pathway that the text was read from; its URLs are relative to that pathway's URL. */
  readonly from: string;
  /** Absolute URL of the steering endpoint at the gateway. */
  readonly reloadUri: string;
  /** Whole seconds, at least 1. */
  readonly ttlSeconds: number;
  /** The gateway's URL for an absolute key or licence URL that can be carried there; null: leave it. */
  readonly keyUrl: (absoluteUrl: string) => string | null;
  /** Absolute URL of this manifest at the gateway, for a last pathway `gateway` as the way out; null: none. */
  readonly anchor: string | null;
}

export interface AnchorOptions {
  /** Absolute URL that the text was read from. */
  readonly url: string;
  /** Streaming base URL of the region. */
  readonly base: string;
  /** Origin of the gateway, without a slash at its end. */
  readonly gateway: string;
  /** As in `SteerOptions`. */
  readonly keyUrl: (absoluteUrl: string) => string | null;
}

/** Why a manifest is left as it is, one word each: a metric label. */
export type RewriteRefusal =
  /** No HLS playlist. */
  | "not_playlist"
  /** A media playlist where a multivariant one is wanted. */
  | "not_multivariant"
  /** No MPD. */
  | "not_mpd"
  | "malformed"
  /** It names a host that is in no region. */
  | "foreign_uri"
  /** The origin steers by itself, or lists copies of its own. */
  | "unsteerable";

export type Rewritten =
  | {
      readonly ok: true;
      readonly text: string;
      /** Key and licence URLs that stay bound to a region. */
      readonly boundKeys: number;
    }
  | { readonly ok: false; readonly reason: RewriteRefusal; readonly detail: string };
