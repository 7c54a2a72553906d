/** What a faulty service says instead of the answer. */
import { STATUS_CODES, type ServerResponse } from "node:http";

const LOGIN_PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Sign in</title></head>
  <body>
    <h1>Sign in to continue</h1>
    <form method="post"><label>User name <input name="user"></label><label>Password <input name="password" type="password"></label><button>Sign in</button></form>
  </body>
</html>
`;

/** The bare status. Without `cors` the service's own CORS headers are missing, too, and a browser reports a network error. */
export function answerStatus(res: ServerResponse, status: number, cors: boolean): void {
  const bodiless = status === 204 || status === 304;
  const text = bodiless ? "" : `${status} ${STATUS_CODES[status] ?? "Unknown"}\n`;
  res.writeHead(status, {
    "content-type": "text/plain",
    "cache-control": "no-store",
    ...(cors ? { "access-control-allow-origin": "*" } : {}),
    ...(bodiless ? {} : { "content-length": text.length }),
  });
  res.end(text);
}

/** 200 with the page of a login wall or captive portal, whatever was asked for. */
export function answerLoginPage(res: ServerResponse): void {
  res.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store", "content-length": LOGIN_PAGE.length });
  res.end(LOGIN_PAGE);
}
