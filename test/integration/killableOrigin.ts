/** An origin in a process of its own, to be killed: answers 200 to everything and says where it listens. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((_, response) => {
  response.end("here");
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
