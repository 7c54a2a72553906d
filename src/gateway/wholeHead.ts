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

/** Bytes: a character for each where they are few, which go out with the head at one stroke. */
export type WholeBody = string | Uint8Array;

/** Up to here, node and libuv write a text without memory of its own. Less than their 16 KiB, because the head is in it, too. */
const MOST_JOINED = 12_000;

const CONNECTION = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n`;

/** Status line and header fields of many answers, up to the value of Date; `x-request-id` is each answer's own. */
export function headUpToDate(status: number, fields: readonly (readonly [string, string])[]): string {
  const shared = fields.filter(([name]) => name !== "x-request-id").map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${shared.join("")}${CONNECTION}Date: `;
}

export function wholeBody(content: string | Uint8Array): WholeBody {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (bytes.length > MOST_JOINED) return bytes;
  // In ASCII the text has its bytes' characters already.
  return typeof content === "string" && bytes.length === content.length ? content : Buffer.from(bytes).toString("latin1");
}

/**
 * Answers with a status line, header fields and a body, whose length the fields tell; without one to HEAD. `head` ends with an empty line. Only
 * where `canWriteWholeHead()`.
 */
export function endWithHead(outgoing: ServerResponse, status: number, head: string, body: WholeBody | null = null): void {
  outgoing.statusCode = status;
  const sent = outgoing.req.method === "HEAD" ? null : body;
  (outgoing as unknown as WithHead)._header = typeof sent === "string" ? head + sent : head;
  if (sent instanceof Uint8Array) outgoing.end(sent);
  else outgoing.end();
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
  return sentBy(head, null) === head && sentBy(head, text) === head + text && sentBy(head, Buffer.from(text)) === head + text;
}

/** What goes out, or null where it is not complete. */
function sentBy(head: string, body: WholeBody | null): string | null {
  let sent = "";
  const socket = new Socket();
  socket.write = (data: Uint8Array | string) => {
    sent += typeof data === "string" ? data : Buffer.from(data).toString("latin1");
    return true;
  };
  try {
    const outgoing = new ServerResponse(new IncomingMessage(socket));
    outgoing.assignSocket(socket);
    endWithHead(outgoing, 302, head, body);
    return outgoing.headersSent && outgoing.writableEnded ? sent : null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
