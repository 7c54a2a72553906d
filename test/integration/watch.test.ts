/** The watch over real sockets: a process that is killed, servers that close what is idle, TLS. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { healthSection } from "../../src/core/config/health.ts";
import { failureReason } from "../../src/core/http.ts";
import { silentLog } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import type { Check } from "../../src/health/checks.ts";
import { startMonitor, type HealthTransition } from "../../src/health/monitor.ts";
import { holdConnection, type WatchTarget } from "../../src/health/watchSocket.ts";
import { createAuthority } from "../../src/sandbox/certificates.ts";
import { eventually, within } from "../harness/wait.ts";

const ORIGIN = fileURLToPath(new URL("killableOrigin.ts", import.meta.url));

/** Everything that a server has accepted, so that it can be closed. */
async function listening(server: Server, sockets: Set<Socket>) {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port, [Symbol.asyncDispose]: close };
}

/** For what takes milliseconds where nothing else runs. */
const SOON_MS = 20_000;

function hold(target: WatchTarget, timeoutMs = SOON_MS) {
  return holdConnection(target, { clock: systemClock, timeoutMs, signal: new AbortController().signal });
}

describe("a watched origin", () => {
  it("is known to be dead when its process is killed, long before the next probe", async () => {
    for (let round = 0; round < 3; round += 1) {
      const child = fork(ORIGIN, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      const [port] = (await within(SOON_MS, "the origin to listen", once(child, "message"))) as [number];
      const url = `http://127.0.0.1:${port}`;
      const check: Check = {
        region: "we",
        service: "streaming",
        probe: async () => ({ ok: true, detail: "not asked" }),
        target: { url, ca: null },
      };
      const metrics = new Metrics({ version: "0", regions: [{ name: "we", keys: false }] });
      const config = healthSection.parse({ interval: "60s", fastInterval: "60s", jitter: 0 });
      const { promise: held, resolve: stands } = Promise.withResolvers<void>();
      const hold: typeof holdConnection = async (...call) => {
        const connection = await holdConnection(...call);
        stands();
        return connection;
      };
      const deps = { config, clock: systemClock, random: systemRandom, log: silentLog, metrics, hold };
      const { promise: noticed, resolve } = Promise.withResolvers<HealthTransition>();
      const monitor = startMonitor([check], deps);
      monitor.onTransition((transition) => {
        if (transition.to === "unhealthy") resolve(transition);
      });
      await within(SOON_MS, "the first probe and the first connection", Promise.all([monitor.ready(), held]));
      child.kill("SIGKILL");
      // Probes are a minute apart.
      const { reason } = await within(SOON_MS, "the kill to be noticed", noticed);
      expect(reason).toBe("refused");
      await monitor.stop();
    }
  });

  it("comes to no harm by a server that closes what is idle", async () => {
    const sockets = new Set<Socket>();
    await using server = await listening(
      createTcpServer((socket) => {
        socket.setTimeout(50, () => socket.end("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n"));
      }),
      sockets,
    );
    let accepted = 0;
    const target = { url: `http://127.0.0.1:${server.port}`, ca: null };
    const metrics = new Metrics({ version: "0", regions: [{ name: "we", keys: false }] });
    const transitions: string[] = [];
    const monitor = startMonitor([{ region: "we", service: "streaming", probe: async () => ({ ok: true, detail: "" }), target }], {
      config: healthSection.parse({ interval: "100ms", fastInterval: "50ms" }),
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      metrics,
      hold: async (...call) => {
        accepted += 1;
        return holdConnection(...call);
      },
    });
    monitor.onTransition(({ to }) => void transitions.push(to));
    await eventually(SOON_MS, "a second loss to be judged", async () =>
      /watch_losses_total\{origin="we",service="streaming",result="kept"\} [2-9]/.test(await metrics.registry.metrics()) ? true : null,
    );
    await monitor.stop();
    expect(transitions).toEqual(["healthy"]);
    expect(accepted).toBeLessThan(8);
    await eventually(SOON_MS, "every connection to be closed", async () => (sockets.size === 0 ? true : null));
  });
});

describe("an idle connection", () => {
  it("is lost when the other side ends or resets it, and closed when it is let go", async () => {
    const sockets = new Set<Socket>();
    await using server = await listening(createTcpServer(), sockets);
    const target = { url: `http://127.0.0.1:${server.port}/base`, ca: null };
    for (const end of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
      using held = await hold(target);
      await eventually(SOON_MS, "the server to have accepted", async () => (sockets.size === 1 ? true : null));
      for (const socket of sockets) end(socket);
      await within(SOON_MS, "the loss", held.lost);
      await eventually(SOON_MS, "the connection to be gone", async () => (sockets.size === 0 ? true : null));
    }
    const held = await hold(target);
    await eventually(SOON_MS, "the server to have accepted", async () => (sockets.size === 1 ? true : null));
    held[Symbol.dispose]();
    await within(SOON_MS, "the loss", held.lost);
    await eventually(SOON_MS, "the connection to be gone", async () => (sockets.size === 0 ? true : null));
  });

  it("is refused where nothing listens", async () => {
    // Port 1 of loopback: reserved, and nothing listens there.
    const refusals = ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://localhost:1"].map(async (url) =>
      hold({ url, ca: null }).catch(failureReason),
    );
    expect(await Promise.all(refusals)).toEqual(["refused", "refused", "refused"]);
  });

  it("is a TLS session with a verified certificate where the service is asked over https", async () => {
    const authority = await createAuthority(systemClock);
    const { valid, expired } = await authority.issue(["127.0.0.1", "localhost"]);
    const sockets = new Set<Socket>();
    await using good = await listening(createTlsServer(valid), sockets);
    await using bad = await listening(createTlsServer(expired), sockets);
    for (const host of ["127.0.0.1", "localhost"]) {
      using held = await hold({ url: `https://${host}:${good.port}`, ca: authority.ca });
      for (const socket of sockets) socket.destroy();
      await within(SOON_MS, "the loss", held.lost);
    }
    expect(await hold({ url: `https://127.0.0.1:${good.port}`, ca: null }).catch(failureReason)).toBe("tls");
    expect(await hold({ url: `https://127.0.0.1:${bad.port}`, ca: authority.ca }).catch(failureReason)).toBe("tls");
  });

  it("gives up at its time-out, and when it is told to", async () => {
    const sockets = new Set<Socket>();
    // Takes the connection and never says a word of TLS.
    await using server = await listening(
      createTcpServer((socket) => socket.resume()),
      sockets,
    );
    const target = { url: `https://127.0.0.1:${server.port}`, ca: null };
    await expect(hold(target, 100)).rejects.toThrow(/no answer within 100 ms/);
    const stop = new AbortController();
    const holding = holdConnection(target, { clock: systemClock, timeoutMs: 60_000, signal: stop.signal });
    stop.abort(new Error("stopped"));
    await expect(holding).rejects.toThrow("stopped");
    const never = holdConnection(target, { clock: systemClock, timeoutMs: 60_000, signal: stop.signal });
    await expect(never).rejects.toThrow("stopped");
    await eventually(SOON_MS, "every connection to be closed", async () => (sockets.size === 0 ? true : null));
  });
});
