/** A server on loopback, at a free port, for what a test wants a service to answer. */
import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export interface HttpServer extends AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
}

/** Disposed of, it ends also the answers that are under way. */
export async function startHttpServer(listener: RequestListener): Promise<HttpServer> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What a captive portal or a proxy answers in the place of a service. */
export const LOGIN_PAGE = "<!doctype html><html><body><form>log in</form></body></html>";

export async function startLoginPage(status = 200): Promise<HttpServer> {
  return startHttpServer((_request, response) => {
    response.writeHead(status, { "content-type": "text/html", "content-length": LOGIN_PAGE.length }).end(LOGIN_PAGE);
  });
}
