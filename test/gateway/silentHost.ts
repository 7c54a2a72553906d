/** A host that is down: nobody answers its handshakes, and no client of the socket API is ever told. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { systemClock } from "../../src/core/clock.ts";

/** Listens with a backlog of one and never accepts, for its thread stands still. */
const LISTEN_AND_BLOCK = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** Its base URL, once its backlog is full. What ends it is pushed to `stops`. */
export async function silentHost(stops: (() => Promise<void>)[]): Promise<string> {
  const worker = new Worker(LISTEN_AND_BLOCK, { eval: true });
  const [port] = (await once(worker, "message")) as [number];
  const fillers: Socket[] = [];
  stops.push(async () => {
    for (const socket of fillers) socket.destroy();
    await worker.terminate();
  });
  for (let connected = true; connected;) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    fillers.push(socket);
    connected = await isTaken(socket);
  }
  return `http://127.0.0.1:${port}`;
}

/** It is looked at more than once: a machine that was held up fires its timers before it hears of connections. */
async function isTaken(socket: Socket): Promise<boolean> {
  const connected = once(socket, "connect");
  connected.catch(() => undefined);
  for (let look = 0; look < 4 && socket.connecting; look += 1) await Promise.race([connected, systemClock.sleep(100)]);
  return !socket.connecting;
}
