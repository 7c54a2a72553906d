/** Makes the files of a job's outputs: really, where ffmpeg is; else, what an encoder would have made of the sample. */
import { mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { RestError, type ContainerClient } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import type { JsonObject } from "../contracts.ts";
import { EncodingFailure } from "../management/jobErrors.ts";
import { clipOf, type Clip } from "../management/jobInputs.ts";
import type { Pace } from "../management/jobPace.ts";
import type { Places } from "../management/jobPlaces.ts";
import type { Encode } from "../management/jobRunner.ts";
import { uploadSample, type SampleFile } from "../sample.ts";
import { runChild } from "./child.ts";
import { encodeArguments, encodedSeconds, lengthOf, probeArguments, renditionsOf, type Rendition } from "./commandLine.ts";
import { distinct, readTrack } from "./encodedTrack.ts";
import { openInput, saveInput, touchInput, type InputDeps } from "./input.ts";
import { clientManifest, serverManifest } from "./manifests.ts";
import { planOf } from "./plan.ts";
import type { Programs } from "./programs.ts";
import { parseSource, type Source } from "./source.ts";

export interface EncoderDeps extends InputDeps {
  /** By its own name. */
  readonly output: (container: string) => ContainerClient;
  /** Null: outputs are copies of the sample. */
  readonly programs: Programs | null;
  readonly sample: readonly SampleFile[];
  /** For files on the way. */
  readonly folder: string;
  /** How many ffmpeg processes there may be at a time. */
  readonly places: Places;
  readonly clock: Clock;
}

const PROBE_TIMEOUT_MS = 30_000;
const ENCODE_TIMEOUT_MS = 15 * 60_000;
/** Holds the movie box and the index of many hours. */
const HEAD_BYTES = 8 * 1024 * 1024;
/** Where input and upload are the rest. */
const ENCODED_PERCENT = 95;

export function encoder(deps: EncoderDeps): Encode {
  return async (job, { container, preset }, signal, pace) => {
    const clip = clipOf(job.input);
    const opened = await openInput(clip, deps, signal);
    if (deps.programs === null) {
      await touchInput(opened, signal);
      await pace.due();
      await delivered(uploadSample(deps.output(container), deps.sample, signal), signal);
      return;
    }
    const folder = await mkdtemp(join(deps.folder, "encode-"));
    try {
      const input = join(folder, "input");
      await saveInput(opened, input, deps, signal);
      const work = { clip, preset, input, folder, name: opened.name, programs: deps.programs };
      const files = await encode(work, deps, signal, pace);
      await pace.due();
      await delivered(upload(deps.output(container), files, signal), signal);
    } finally {
      opened.body.destroy();
      await rm(folder, { recursive: true, force: true });
    }
  };
}

interface Work {
  readonly clip: Clip;
  readonly preset: JsonObject;
  readonly input: string;
  readonly folder: string;
  readonly name: string;
  readonly programs: Programs;
}

interface OutputFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: { readonly path: string } | { readonly text: string };
}

async function encode(work: Work, deps: EncoderDeps, signal: AbortSignal, pace: Pace): Promise<OutputFile[]> {
  const { clip, preset, input, folder, name, programs } = work;
  using _place = await deps.places.take(0, signal);
  const source = await probe(work, deps, signal);
  const plan = planOf(preset, source);
  const renditions = renditionsOf(plan, name);
  const seconds = lengthOf(source, clip);
  const line = (text: string): void => {
    const done = encodedSeconds(text);
    if (done !== null && seconds !== null && seconds > 0) pace.progress(Math.min(ENCODED_PERCENT, (done * ENCODED_PERCENT) / seconds));
  };
  const args = encodeArguments({ input, source, plan, clip, files: renditions.map(({ file }) => join(folder, file)) });
  const run = { program: programs.ffmpeg, args, timeoutMs: ENCODE_TIMEOUT_MS, signal, clock: deps.clock, line };
  await runChild(run).catch((error: unknown) => {
    throw programFailure(error, "ContentMalformed", work, signal);
  });
  return packaged(folder, name, renditions);
}

async function probe(work: Work, { clock }: EncoderDeps, signal: AbortSignal): Promise<Source> {
  const { input, programs } = work;
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const run = { program: programs.ffprobe, args: probeArguments(input), timeoutMs: PROBE_TIMEOUT_MS, signal, clock, line };
  await runChild(run).catch((error: unknown) => {
    throw programFailure(error, "ContentUnsupported", work, signal);
  });
  return parseSource(lines.join("\n"));
}

/** What the program says of its input is the input's fault; that it is missing or takes too long is not. Paths of this machine are left out. */
function programFailure(error: unknown, code: "ContentMalformed" | "ContentUnsupported", { folder }: Work, signal: AbortSignal): unknown {
  if (signal.aborted) return error;
  const detail = errorChain(error).replaceAll(`${folder}/`, "");
  if (errorCode(error) === "program_failed") return new EncodingFailure(code, detail);
  return new EncodingFailure(errorCode(error) === "program_timeout" ? "ServiceTransientError" : "ServiceError", detail);
}

async function packaged(folder: string, name: string, renditions: readonly Rendition[]): Promise<OutputFile[]> {
  const tracks = distinct(
    await Promise.all(renditions.map(async ({ kind, file }) => readTrack(kind, file, "und", await head(join(folder, file))))),
  );
  return [
    ...tracks.map(({ kind, file }) => ({ name: file, contentType: `${kind}/mp4`, content: { path: join(folder, file) } })),
    { name: `${name}.ismc`, contentType: "application/vnd.ms-sstr+xml", content: { text: clientManifest(tracks) } },
    { name: `${name}.ism`, contentType: "application/smil+xml", content: { text: serverManifest(name, tracks) } },
  ];
}

async function head(path: string): Promise<Uint8Array<ArrayBuffer>> {
  await using file = await open(path);
  const bytes = new Uint8Array(Math.min(HEAD_BYTES, (await file.stat()).size));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.subarray(0, bytesRead);
}

/** The server manifest last: what can be found can be played. */
async function upload(container: ContainerClient, files: readonly OutputFile[], abortSignal: AbortSignal): Promise<void> {
  for (const { name, contentType, content } of files) {
    const blob = container.getBlockBlobClient(name);
    const options = { blobHTTPHeaders: { blobContentType: contentType }, abortSignal };
    if ("path" in content) await blob.uploadFile(content.path, { ...options, concurrency: 1 });
    else await blob.uploadData(Buffer.from(content.text), options);
  }
}

async function delivered(uploading: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await uploading;
  } catch (error) {
    if (signal.aborted) throw error;
    const status = error instanceof RestError ? error.statusCode : undefined;
    const refused = status === 403 || status === 404;
    const detail = status === undefined ? "the region's storage did not answer" : `the region's storage answered ${status}`;
    throw new EncodingFailure(refused ? "UploadNotAccessible" : "UploadTransientError", detail, { cause: error });
  }
}
