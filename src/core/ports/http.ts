import type { Address } from "../address.ts";

/** An HTTP answer from a region, small enough to hold. */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Milliseconds from the question to the answer's headers and to its last byte; left out where they are not measured. */
  readonly timing?: { readonly firstByteMs: number; readonly totalMs: number };
}

export interface HttpQuestion {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Time until the last byte. */
  readonly timeoutMs: number;
  /** Answers with more bytes fail with `too_large`. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks a region over HTTP as a player would: TLS verified, redirects not followed, answer read whole.
 * Resolves for any HTTP status. A failure rejects with `HttpFailure`, whose `reason` is one of refused, reset, timeout, dns, tls, truncated,
 * too_large; a `signal` that aborts rejects with its reason.
 * Only URLs under a configured region are asked; any other is refused with `not_configured`.
 */
export interface HttpClient {
  ask(question: HttpQuestion): Promise<HttpAnswer>;
}

/** What a server showed of itself in a TLS handshake. */
export interface PeerCertificate {
  /** When the certificate ends. */
  readonly expiresAt: number;
}

/**
 * Makes a new connection to the origin of `url` and looks at its certificate: requests on a connection that is kept alive say nothing about
 * a certificate that was replaced or has run out since. Null for an http:// URL, which has none.
 * Rejects with `HttpFailure` (tls, refused, reset, timeout, dns), or with `not_configured` as `HttpClient` does.
 */
export interface CertificateSource {
  peer(url: string, timeoutMs: number): Promise<PeerCertificate | null>;
}

/** Tells the country of an address: two capital letters (ISO 3166-1), null where it is not known. A plain read of memory, safe on the hot path. */
export interface CountryReader {
  country(address: Address): string | null;
}
