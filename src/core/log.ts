/** JSON lines by pino. Every string passes `scrub`, so that keys, tokens and SAS stay out even where a message quotes a URL. */
import { fstatSync } from "node:fs";
import { pino, type DestinationStream } from "pino";
import { LineWriter } from "./lineWriter.ts";

export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** `event` is a stable dotted word (`health.transition`), `fields` the figures. Logged once, at the edge. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A finished JSON line of level `info` in ASCII, with its line feed, by callers who write too many for `info`. They see to scrubbing. */
  line(text: string): void;
  /** How many lines were lost because whoever reads them did not keep up; also those of other logs that are written to standard error. */
  dropped(): number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A log whose level can be changed while it is in use. */
export interface LeveledLog extends Log {
  setLevel(level: LogLevel): void;
}

/** What may wait to be read, in bytes; what comes above that is lost, and counted. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** What is written at once. Larger chunks save little more. */
const CHUNK_BYTES = 65_536;
const STANDARD_ERROR = 2;
/** PIPE_BUF of Linux: what several processes write into one pipe stays in one piece up to here. */
const PIPE_BYTES = 4_096;

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [
    /([?&;](?:sig|x-amz-signature|x-amz-credential|x-amz-security-token|token|se?cret|apikey|api-key|key|code|access_token)=)[^&\s"'#]+/gi,
    "$1[redacted]",
  ],
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

export interface LogOptions {
  /** Other processes write to the same place. */
  readonly shared?: boolean;
}

/** Lines go to `destination` one by one, or, by default, in batches to standard error. */
export function createLog(level: LogLevel, destination?: DestinationStream, { shared = false }: LogOptions = {}): LeveledLog {
  const writer = destination === undefined ? standardError(shared) : null;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
    },
    destination ?? {
      write: (line: string) => {
        writer?.add(line);
      },
    },
  );
  const say =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      logger[at](scrubFields(fields), event);
      // Only requests come so fast that they have to wait for one another.
      writer?.flush();
    };
  return {
    setLevel: (wanted) => {
      logger.level = wanted;
    },
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    line: (text) => {
      if (!logger.isLevelEnabled("info")) return;
      if (writer === null) destination?.write(text);
      else writer.addAscii(text);
    },
    dropped: () => writer?.dropped ?? 0,
  };
}

/** By the size of their chunks: logs of one process share them, so that lines keep their order and wait in one place for its end. */
const writers = new Map<number, LineWriter>();

function standardError(shared: boolean): LineWriter {
  const chunkBytes = shared && fstatSync(STANDARD_ERROR).isFIFO() ? PIPE_BYTES : CHUNK_BYTES;
  const known = writers.get(chunkBytes);
  if (known !== undefined) return known;
  const writer = new LineWriter({ fd: STANDARD_ERROR, chunkBytes, chunks: MAX_WAITING_BYTES / chunkBytes });
  writers.set(chunkBytes, writer);
  process.on("exit", () => {
    writer.flushSync();
  });
  return writer;
}

/** For callers that want no log. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  line: () => undefined,
  dropped: () => 0,
};
