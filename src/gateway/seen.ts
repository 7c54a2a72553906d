/** The access log's line of a request that went a short way. */
import { quoted, type AccessLog } from "./access.ts";
import type { ScannedFields } from "./rawFields.ts";
import type { Tracing } from "./tracing.ts";

export interface Seen {
  readonly method: string;
  readonly requestId: string;
  /** When it was answered, epoch milliseconds. */
  readonly now: number;
  readonly durationMs: number;
}

/** `line`: from the path on, which is the same for many requests. */
export function logSeen(accessLog: AccessLog, tracing: Tracing, fields: ScannedFields, seen: Seen, line: string): void {
  const { method, requestId, now, durationMs } = seen;
  const id = fields.requestId === null ? `"${requestId}"` : quoted(requestId);
  const traceId = tracing.context(fields.traceparent)?.traceId ?? null;
  accessLog.write(id, `,"method":"${method}"${line}`, durationMs, traceId, now);
}
