/** Handshakes with servers whose certificates are right, wrong and out of date, and with some that give none. */
import { createServer, type Server } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { TlsCertificates } from "../../src/core/tls.ts";
import { createAuthority, type CertificateAuthority, type ServerCertificates } from "../../src/sandbox/certificates.ts";

const DAY_MS = 86_400_000;
/** Nobody is late here but where that is the point. */
const PATIENT_MS = 20_000;
let authority: CertificateAuthority;
let certificates: ServerCertificates;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  authority = await createAuthority(systemClock);
  certificates = await authority.issue(["127.0.0.1", "localhost"]);
});

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function listen(server: Server | TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function source(url: string, ca: string | null = authority.ca): TlsCertificates {
  return new TlsCertificates({ origins: [{ url, ca }], clock: systemClock });
}

describe("a handshake", () => {
  test("shows when the certificate ends, by address and by name", async () => {
    const port = await listen(createServer(certificates.valid));
    for (const host of ["127.0.0.1", "localhost"]) {
      const url = `https://${host}:${port}/base`;
      const peer = await source(url).peer(`${url}/v?x=1`, PATIENT_MS);
      expect((peer?.expiresAt ?? 0) - Date.now()).toBeGreaterThan(29 * DAY_MS);
      expect((peer?.expiresAt ?? 0) - Date.now()).toBeLessThan(31 * DAY_MS);
    }
  });

  test("is anew each time: a certificate that was replaced is seen at once", async () => {
    const server = createServer(certificates.valid);
    const url = `https://127.0.0.1:${await listen(server)}`;
    const peers = source(url);
    await peers.peer(url, PATIENT_MS);
    server.setSecureContext(certificates.expired);
    await expect(peers.peer(url, PATIENT_MS)).rejects.toMatchObject({ reason: "tls" });
  });

  test("fails without the authority, and for another name", async () => {
    const port = await listen(createServer(certificates.valid));
    await expect(source(`https://127.0.0.1:${port}`, null).peer(`https://127.0.0.1:${port}`, PATIENT_MS)).rejects.toMatchObject({
      reason: "tls",
    });
    const { valid } = await authority.issue(["other.example"]);
    const other = `https://127.0.0.1:${await listen(createServer(valid))}`;
    await expect(source(other).peer(other, PATIENT_MS)).rejects.toMatchObject({ reason: "tls" });
  });

  test("fails in its own words where nothing listens, where nobody answers, and where it is cut off", async () => {
    // Port 1 of loopback: reserved, and nothing listens there.
    const refusing = "https://127.0.0.1:1";
    await expect(source(refusing).peer(refusing, PATIENT_MS)).rejects.toMatchObject({ reason: "refused" });
    const silent = `https://127.0.0.1:${await listen(createTcpServer())}`;
    await expect(source(silent).peer(silent, 100)).rejects.toMatchObject({ reason: "timeout" });
    const cutting = `https://127.0.0.1:${await listen(createTcpServer((socket) => socket.resetAndDestroy()))}`;
    await expect(source(cutting).peer(cutting, PATIENT_MS)).rejects.toMatchObject({ reason: "reset" });
  });

  test("is none with plain HTTP, and none with strangers", async () => {
    expect(await source("http://127.0.0.1:1").peer("http://127.0.0.1:1/x", 100)).toBeNull();
    await expect(source("https://127.0.0.1:1").peer("https://127.0.0.1:2", 100)).rejects.toMatchObject({ code: "not_configured" });
  });
});
