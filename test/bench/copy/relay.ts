/** A process before a server on loopback that makes it some milliseconds away. Arguments: port, milliseconds for a round trip. Says its own port. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

const [port = "", roundTrip = ""] = process.argv.slice(2);
const oneWay = Number(roundTrip) / 2;

function carry(from: Socket, to: Socket): void {
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), oneWay));
  from.on("end", () => setTimeout(() => to.end(), oneWay));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), 2 * oneWay));
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({ port: Number(port), host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  carry(client, upstream);
  carry(upstream, client);
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
