/**
 * Writes the head of an answer as one text. `writeHead` checks every name and value again, every time; for a head whose parts were checked
 * when they were made, that is a sixth of all the CPU time of a redirect.
 *
 * Node has no public way to do so. The field used here, `_header`, is where `writeHead` itself leaves its text; whether that is so is tried
 * out once, and where it is not, callers are told and take the ordinary way.
 */
import { IncomingMessage, STATUS_CODES, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { KEEP_ALIVE_MS } from "./server.ts";

interface WithHead {
  _header: string | null;
}

/** A text with the encoding in which it is sent. One in ASCII goes out fastest as `latin1`. */
export interface WholeBody {
  readonly text: string;
  readonly encoding: "latin1" | "utf8";
}

const CONNECTION = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n`;

/** Status line and header fields of many answers, up to the value of Date; `x-request-id` is each answer's own. */
export function headUpToDate(status: number, fields: readonly (readonly [string, string])[]): string {
  const shared = fields.filter(([name]) => name !== "x-request-id").map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${shared.join("")}${CONNECTION}Date: `;
}

/**
 * Answers with a status line, header fields and a body, whose length the fields tell; without one to HEAD. `head` ends with an empty line. Only
 * where `canWriteWholeHead()`.
 */
export function endWithHead(outgoing: ServerResponse, status: number, head: string, body: WholeBody | null = null): void {
  outgoing.statusCode = status;
  (outgoing as unknown as WithHead)._header = head;
  if (body === null || outgoing.req.method === "HEAD") outgoing.end();
  else outgoing.end(body.text, body.encoding);
}

let tried: boolean | null = null;

/** True where this version of node sends what `endWithHead` is given, once and unchanged, and considers the answer complete. */
export function canWriteWholeHead(): boolean {
  tried ??= trial();
  return tried;
}

function trial(): boolean {
  const head = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
  const text = "#EXTM3U";
  return sentBy(head, null) === head && sentBy(head, { text, encoding: "latin1" }) === head + text;
}

/** What goes out, or null where it is not one piece, or not complete. */
function sentBy(head: string, body: WholeBody | null): unknown {
  const sent: unknown[] = [];
  const socket = new Socket();
  socket.write = (data: unknown) => {
    sent.push(data);
    return true;
  };
  try {
    const outgoing = new ServerResponse(new IncomingMessage(socket));
    outgoing.assignSocket(socket);
    endWithHead(outgoing, 302, head, body);
    return outgoing.headersSent && outgoing.writableEnded && sent.length === 1 ? sent[0] : null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
