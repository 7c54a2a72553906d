/** JSON lines by pino. Every string passes `scrub`, so that keys, tokens and SAS stay out even where a message quotes a URL. */
import { fstatSync } from "node:fs";
import { pino, type DestinationStream } from "pino";
import { LineBatch } from "./lineBatch.ts";

export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** `event` is a stable dotted word (`health.transition`), `fields` the figures. Logged once, at the edge. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A finished JSON line of level `info` in ASCII, with its line feed, by callers who write too many for `info`. They see to scrubbing. */
  line(text: string): void;
  /** How many lines were lost because whoever reads them did not keep up. */
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
/** PIPE_BUF of Linux: what several processes write into one pipe stays in one piece up to here. */
const PIPE_BYTES = 4_096;

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

export interface LogOptions {
  /** Other processes write to the same place. */
  readonly shared?: boolean;
}

/** Lines go to `destination` one by one, or, by default, in batches to standard error. */
export function createLog(level: LogLevel, destination?: DestinationStream, { shared = false }: LogOptions = {}): LeveledLog {
  let dropped = 0;
  const output = destination === undefined ? standardError(shared, (lines) => (dropped += lines)) : null;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
    },
    output?.lines ?? destination,
  );
  const say =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      // Lines stay in the order in which they came.
      output?.batch.flush();
      logger[at](scrubFields(fields), event);
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
      if (output === null) destination?.write(text);
      else output.batch.add(text);
    },
    dropped: () => dropped,
  };
}

interface Output {
  readonly lines: DestinationStream;
  readonly batch: LineBatch;
}

const LINE_FEED = 0x0a;

/** pino's own stream: it keeps what cannot be written yet, up to a limit, and writes the rest when the process ends. */
function standardError(shared: boolean, onDrop: (lines: number) => void): Output {
  const chunk = shared && fstatSync(2).isFIFO() ? PIPE_BYTES : CHUNK_BYTES;
  const options = { dest: 2, sync: false, maxLength: MAX_WAITING_BYTES, maxWrite: chunk + 1, contentMode: "buffer" } as const;
  const stream = pino.destination(options);
  stream.on("drop", (chunk: Uint8Array) => {
    onDrop(chunk.reduce((count, byte) => count + (byte === LINE_FEED ? 1 : 0), 0));
  });
  // In this mode it takes buffers; its type has not heard of it.
  const write = (chunk: Uint8Array): void => void stream.write(chunk as unknown as string);
  return {
    lines: {
      write: (line) => {
        write(Buffer.from(line));
      },
    },
    batch: flushedAtExit(new LineBatch(write, chunk)),
  };
}

/** Ahead of pino's own handler of these events, which writes what it was given and takes no more. */
function flushedAtExit(batch: LineBatch): LineBatch {
  const flush = (): void => {
    batch.flush();
  };
  process.prependListener("beforeExit", flush);
  process.prependListener("exit", flush);
  return batch;
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
