/** A proxy in front of the gateway that carries everything and fails the steering endpoint, as it is told. */
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { SteeringFault } from "./matrix.ts";

export interface SteeringProxy extends AsyncDisposable {
  readonly port: number;
  set(fault: SteeringFault | null): void;
}

const STEERING_PATH = "/steering/";

/** The Host field goes through as it came, so that the gateway's own URLs lead to the proxy. */
export async function steeringFaultProxy(gatewayPort: number, initial: SteeringFault | null): Promise<SteeringProxy> {
  let fault = initial;
  const server = createServer((req, res) => {
    if (fault !== null && req.url?.startsWith(STEERING_PATH) === true) fail(fault, req, res);
    else carry(gatewayPort, req, res);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      fault = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function fail(fault: SteeringFault, req: IncomingMessage, res: ServerResponse): void {
  if (fault === "500") res.writeHead(500, { "access-control-allow-origin": "*" }).end();
  else if (fault !== "hangs") req.socket.destroy();
}

function carry(port: number, req: IncomingMessage, res: ServerResponse): void {
  const onward = request({ host: "127.0.0.1", port, method: req.method, path: req.url, headers: req.headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  onward.on("error", () => res.destroy());
  res.once("close", () => onward.destroy());
  req.pipe(onward);
}
