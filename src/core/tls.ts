/** TLS handshakes with the configured origins, beside the HTTP client's connections. */
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "./clock.ts";
import { PaircastError } from "./errors.ts";
import { failureDetail, failureReason, HttpFailure, type HttpClientOptions } from "./http.ts";
import type { CertificateSource, PeerCertificate } from "./ports/http.ts";

export interface TlsCertificateOptions extends HttpClientOptions {
  readonly clock: Clock;
}

/** Verifies as the HTTP client does: the host name, the dates, and the authority that is configured for the origin. */
export class TlsCertificates implements CertificateSource {
  readonly #authorities: ReadonlyMap<string, string | null>;
  readonly #clock: Clock;

  constructor({ origins, clock }: TlsCertificateOptions) {
    this.#authorities = new Map(origins.map(({ url, ca }) => [new URL(url).origin, ca]));
    this.#clock = clock;
  }

  async peer(url: string, timeoutMs: number): Promise<PeerCertificate | null> {
    const { origin, protocol, hostname, port } = new URL(url);
    const ca = this.#authorities.get(origin);
    if (ca === undefined)
      throw new PaircastError("not_configured", `refused to connect to ${origin}: it is not the address of a configured region`);
    if (protocol !== "https:") return null;
    const host = hostname.replace(/^\[|\]$/g, "");
    using deadline = this.#clock.deadline(timeoutMs);
    const socket = connect({
      host,
      port: port === "" ? 443 : Number(port),
      ALPNProtocols: ["http/1.1"],
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === null ? {} : { ca }),
    });
    try {
      await secured(socket, deadline.signal);
      return { expiresAt: Date.parse(socket.getPeerCertificate().valid_to) };
    } catch (error) {
      const reason = deadline.signal.aborted ? "timeout" : failureReason(error);
      throw new HttpFailure(reason, `TLS handshake with ${origin} failed: ${failureDetail(reason, error)}`, error);
    } finally {
      socket.destroy();
    }
  }
}

async function secured(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.on("error", reject);
    socket.once("close", () => {
      reject(new Error("closed during the handshake"));
    });
    signal.addEventListener("abort", () => {
      reject(signal.reason as Error);
    });
  });
}
