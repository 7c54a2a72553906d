/** An origin in a process of its own that costs as little as node can: 16 bytes for GET, 2 KB for POST, 200 for anything. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const KEY = Buffer.alloc(16, "k");
const LICENCE = Buffer.alloc(2_048, "l");
const KEY_FIELDS = ["content-type", "application/octet-stream", "content-length", String(KEY.length)];
const LICENCE_FIELDS = ["content-type", "application/octet-stream", "content-length", String(LICENCE.length)];

const server = createServer({ keepAliveTimeout: 120_000, optimizeEmptyRequests: true }, (incoming, outgoing) => {
  if (incoming.method !== "POST") {
    outgoing.writeHead(200, KEY_FIELDS).end(KEY);
    return;
  }
  incoming.resume().on("end", () => {
    outgoing.writeHead(200, LICENCE_FIELDS).end(LICENCE);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
