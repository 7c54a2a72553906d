/** JSON lines by pino. Every string passes `scrub`, so that keys, tokens and SAS stay out even where a message quotes a URL. */
import { pino, type DestinationStream } from "pino";

export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** `event` is a stable dotted word (`health.transition`), `fields` the figures. Logged once, at the edge. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/([?&;](?:sig|token|se?cret|apikey|api-key|key|code|access_token)=)[^&\s"'#]+/gi, "$1[redacted]"],
  [/\b(Bearer|Basic|SharedKey)\s+[A-Za-z0-9+/=._~:-]{6,}/gi, "$1 [redacted]"],
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, "[redacted]"],
  [/\b(AccountKey|SharedAccessSignature|apiKey|keyValue)(["']?\s*[=:]\s*["']?)[^;"'\s,}]+/gi, "$1$2[redacted]"],
];

/** Takes out what looks like a secret: SAS signatures, tokens in queries, Authorization values, JWTs, account keys. */
export function scrub(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement);
  return clean;
}

function scrubFields(fields: LogFields): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = typeof value === "string" ? scrub(value) : Array.isArray(value) ? value.map((item) => scrub(String(item))) : value;
  }
  return clean;
}

export function createLog(level: "debug" | "info" | "warn" | "error", destination?: DestinationStream): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
    },
    destination ?? pino.destination({ dest: 2, sync: false }),
  );
  return {
    debug: (event, fields = {}) => {
      logger.debug(scrubFields(fields), event);
    },
    info: (event, fields = {}) => {
      logger.info(scrubFields(fields), event);
    },
    warn: (event, fields = {}) => {
      logger.warn(scrubFields(fields), event);
    },
    error: (event, fields = {}) => {
      logger.error(scrubFields(fields), event);
    },
  };
}

/** For callers that want no log. */
export const silentLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
