/** Idle connections over real sockets: TCP, or TLS where the service is asked over https. */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../core/clock.ts";
import type { HeldConnection } from "./watch.ts";

export interface WatchTarget {
  /** Base URL of the service. */
  readonly url: string;
  /** PEM of an authority to trust there; null: the system's. */
  readonly ca: string | null;
}

export interface HoldOptions {
  readonly clock: Clock;
  /** Time until the connection stands. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** TCP asks an idle host after this time whether it still lives: routers forget connections on which nothing is said. */
const KEEP_ALIVE_MS = 15_000;

/** Resolves when the connection (and its TLS session) stands; rejects with the socket's error, or with the reason of the abort. */
export async function holdConnection(target: WatchTarget, { clock, timeoutMs, signal }: HoldOptions): Promise<HeldConnection> {
  const socket = openSocket(target);
  const lost = new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        resolve();
      });
    }
  });
  using limit = clock.deadline(timeoutMs);
  const give = (): void => {
    socket.destroy(signal.aborted ? asError(signal.reason) : asError(limit.signal.reason));
  };
  limit.signal.addEventListener("abort", give);
  signal.addEventListener("abort", give, { once: true });
  try {
    if (signal.aborted) give();
    await stands(socket, new URL(target.url).protocol === "https:" ? "secureConnect" : "connect");
  } finally {
    signal.removeEventListener("abort", give);
  }
  // What a server says before it closes (408) has to be read for the end to be seen.
  socket.setKeepAlive(true, KEEP_ALIVE_MS).resume();
  return { lost, [Symbol.dispose]: () => void socket.destroy() };
}

function openSocket({ url, ca }: WatchTarget): Socket {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replaceAll(/^\[|\]$/g, "");
  if (protocol !== "https:") return connectTcp({ host, port: Number(port || 80) });
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port: Number(port || 443), ALPNProtocols: ["http/1.1"], ...servername, ...(ca === null ? {} : { ca }) });
}

async function stands(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      resolve();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      reject(new Error("closed before the connection stood"));
    });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted");
}
