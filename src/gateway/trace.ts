/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/): read from players and proxies in front, carried to key hosts, named in the access log.
 * Pure.
 */

export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** Two: bit 0 says that the caller records. */
  readonly flags: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?$/;
const ZERO_TRACE = "0".repeat(32);
const ZERO_SPAN = "0".repeat(16);
/** §3.3.1.5: what has to be carried at least; more is dropped whole. */
const MAX_TRACESTATE = 512;

/** Null for what §3.2.2 calls invalid: it is ignored then, as if it had not come. */
export function readTraceparent(value: string | null | undefined): TraceContext | null {
  const parts = TRACEPARENT.exec(value ?? "");
  if (parts === null) return null;
  const [, version, traceId = "", spanId, flags = "", rest] = parts;
  if (traceId === ZERO_TRACE || spanId === ZERO_SPAN) return null;
  return isReadable(version, rest) ? { traceId, flags } : null;
}

/** Version 00 ends with its flags; a later one may go on, and is read as far as it is known. */
function isReadable(version: string | undefined, rest: string | undefined): boolean {
  return version === "00" ? rest === undefined : version !== "ff";
}

/** The value to send on. `spanId` is the gateway's own request to the next: 16 hexadecimal digits, not all zero. */
export function writeTraceparent({ traceId, flags }: TraceContext, spanId: string): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

/** The vendors' part, byte for byte; null where it is too long or holds what no field may hold. */
export function readTracestate(value: string | null | undefined): string | null {
  if (value === null || value === undefined || value.length > MAX_TRACESTATE) return null;
  return /^[\t -~]+$/.test(value) ? value : null;
}

/** A context of the gateway's own, not recorded by anybody unless somebody behind it decides to. `uuid` makes the trace id. */
export function newTrace(uuid: string): TraceContext {
  return { traceId: uuid.replaceAll("-", ""), flags: "00" };
}

/** A span id out of a random GUID. Its last 16 digits begin with the variant's bits, so they are never all zero. */
export function spanIdFrom(uuid: string): string {
  return uuid.replaceAll("-", "").slice(16);
}
