/** A load of new connections: each is opened, asks once, reads its answer to the end, and is closed by the server. */
import { connect } from "node:net";

export interface ConnectionLoad {
  /** How many have ended. */
  readonly done: number;
  /** What went wrong, by kind. */
  readonly failures: ReadonlyMap<string, number>;
  /** The latest Location. */
  readonly location: string;
  /** Lets every client end what it has begun. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly url: string;
  readonly clients: number;
  /** Any of these may be the answer's Location. */
  readonly locations: readonly string[];
}

const PATIENCE_MS = 5_000;

export function startConnections({ url, clients, locations }: LoadOptions): ConnectionLoad {
  const { hostname, port, pathname } = new URL(url);
  const request = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`;
  const failures = new Map<string, number>();
  let stopped = false;
  const load = {
    done: 0,
    failures,
    location: "",
    stop: async (): Promise<void> => {
      stopped = true;
      await running;
    },
  };
  const client = async (number: number): Promise<void> => {
    // An address of its own for each client, as viewers have: one address runs out of ports that are free again.
    const localAddress = process.platform === "linux" ? `127.0.1.${number + 1}` : "127.0.0.1";
    while (!stopped) {
      const answer = await exchange({ host: hostname, port: Number(port), localAddress }, request);
      const [, location = ""] = /^HTTP\/1\.[01] 30[27] [^]*?\r\nlocation: ([^\r]+)\r\n/i.exec(answer) ?? [];
      if (locations.includes(location)) load.location = location;
      else failures.set(kindOf(answer), (failures.get(kindOf(answer)) ?? 0) + 1);
      load.done += 1;
    }
  };
  const running = Promise.all(Array.from({ length: clients }, async (_, number) => client(number)));
  return load;
}

function kindOf(answer: string): string {
  return answer.split("\r\n", 1)[0] || "nothing";
}

/** The whole answer, or the error's code. */
async function exchange(
  to: { readonly host: string; readonly port: number; readonly localAddress: string },
  request: string,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(to);
    let answer = "";
    socket.setTimeout(PATIENCE_MS, () => {
      answer = "timeout";
      socket.destroy();
    });
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (answer += chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      answer = error.code ?? error.message;
    });
    socket.once("close", () => {
      resolve(answer);
    });
    socket.write(request);
  });
}
