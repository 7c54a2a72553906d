/** Header fields as they came over the wire: name, value, name, value. Read without making an object of all of them. */

type RawFields = readonly string[];

export interface ScannedFields {
  host: string | null;
  /** The client's own id for the request, where it is one that may be logged and sent back. */
  requestId: string | null;
  /** As it came. */
  traceparent: string | null;
  /** Bytes that a body is announced with; null where none is announced. */
  length: number | null;
  /** False where a body comes without its length, something is expected or upgraded, or a field that counts here is repeated. */
  plain: boolean;
}

/** Longer or stranger ids are replaced: the id goes into logs and back to the client. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,63}$/;
/** Names by their length, so that most fields are passed over without a look at their text. */
const SPECIAL: Readonly<Partial<Record<number, string>>> = { 6: "expect", 7: "upgrade", 17: "transfer-encoding" };
const HOST = "host";
const REQUEST_ID = "x-request-id";
const TRACEPARENT = "traceparent";
const LENGTH = "content-length";

/** The offered request id, or null where one has to be made. */
export function saneRequestId(offered: string | undefined): string | null {
  return offered !== undefined && SANE_REQUEST_ID.test(offered) ? offered : null;
}

/** What the hot path has to know of a request's header, written into `into`, which it returns. */
// oxlint-disable-next-line complexity -- one pass over the fields of every request, without an allocation.
export function scanFields(fields: RawFields, into: ScannedFields): ScannedFields {
  let host: string | null = null;
  let requestId: string | null = null;
  let traceparent: string | null = null;
  let length: number | null = null;
  let plain = true;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? "";
    const value = fields[at + 1] ?? "";
    if (is(name, HOST)) {
      plain &&= host === null;
      host = value;
    } else if (is(name, REQUEST_ID)) {
      plain &&= requestId === null;
      requestId = value;
    } else if (is(name, TRACEPARENT)) {
      plain &&= traceparent === null;
      traceparent = value;
    } else if (is(name, LENGTH)) {
      plain &&= length === null;
      length = Number(value);
    } else if (is(name, SPECIAL[name.length])) plain = false;
  }
  into.host = host;
  into.requestId = requestId === null ? null : saneRequestId(requestId);
  into.traceparent = traceparent;
  into.length = length;
  into.plain = plain;
  return into;
}

/** Whether a token or cookie of the viewer's comes along. */
export function holdsCredentials(fields: RawFields): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    if ((name.length === 13 && is(name, "authorization")) || (name.length === 6 && is(name, "cookie"))) return true;
  }
  return false;
}

/** The value of a field, those of its repetitions joined as `Headers` does; undefined where there is none. `wanted` in lower case. */
export function fieldValue(fields: RawFields, wanted: string): string | undefined {
  let value: string | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (!is(fields[at] ?? "", wanted)) continue;
    value = value === undefined ? fields[at + 1] : `${value}, ${fields[at + 1] ?? ""}`;
  }
  return value;
}

function is(name: string, wanted: string | undefined): boolean {
  if (wanted === undefined || name.length !== wanted.length) return false;
  return name === wanted || name.toLowerCase() === wanted;
}
