/** Reads what a job is to encode: over HTTP, or from an asset's container. Failures are told in the service's words. */
import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RestError, type ContainerClient } from "@azure/storage-blob";
import { request } from "undici";
import { errorChain } from "../../core/errors.ts";
import { EncodingFailure } from "../management/jobErrors.ts";
import type { Clip } from "../management/jobInputs.ts";

export interface InputDeps {
  /** Container of an asset; null where there is none. */
  readonly container: (assetName: string) => ContainerClient | null;
  /** Larger inputs are refused. */
  readonly maxBytes: number;
}

export interface OpenInput {
  readonly name: string;
  readonly body: Readable;
}

const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 30_000;
const MANIFESTS = /\.(ismc?|mpi|xml|json)$/i;
/** Names that cannot be found, or are not to be. Everything else in the network may pass. */
const NOT_THERE = ["ENOTFOUND", "EAI_AGAIN", "ERR_INVALID_URL"];

/** Throws `EncodingFailure`, or the signal's reason. The caller reads the body or destroys it. */
export async function openInput({ source, files }: Clip, { container, maxBytes }: InputDeps, signal: AbortSignal): Promise<OpenInput> {
  const open = async (): Promise<OpenInput & { readonly length: number | null }> =>
    source.kind === "http"
      ? openUrl(`${source.baseUri}${files[0] ?? ""}`, signal)
      : openAsset(container(source.assetName), source.assetName, files, signal);
  const opened = await open().catch((error: unknown) => {
    throw downloadFailure(error, signal);
  });
  const refusal = lengthRefusal(opened.length, maxBytes);
  if (refusal === null) return opened;
  opened.body.destroy();
  throw refusal;
}

/** Into a file. Throws `EncodingFailure`, or the signal's reason. */
export async function saveInput({ body }: OpenInput, path: string, { maxBytes }: InputDeps, signal: AbortSignal): Promise<void> {
  let bytes = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  };
  try {
    await pipeline(body, counted, createWriteStream(path), { signal });
  } catch (error) {
    throw downloadFailure(error, signal);
  }
  if (bytes === 0) throw empty();
}

/** Looks whether there is something to read, and reads no more. */
export async function touchInput({ body }: OpenInput, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) if (chunk.length > 0) return;
  } catch (error) {
    throw downloadFailure(error, signal);
  } finally {
    body.destroy();
  }
  throw empty();
}

async function openUrl(address: string, signal: AbortSignal): Promise<OpenInput & { readonly length: number | null }> {
  const url = new URL(address);
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, bodyTimeout: BODY_TIMEOUT_MS };
  const { statusCode, headers, body } = await request(url, { ...timeouts, signal });
  const length = headers["content-length"];
  if (statusCode === 200) return { name: nameOf(url.pathname), body, length: typeof length === "string" ? Number(length) : null };
  await body.dump();
  const code = statusCode >= 500 || statusCode === 429 || statusCode === 408 ? "DownloadTransientError" : "DownloadNotAccessible";
  throw new EncodingFailure(code, `${url.origin}${url.pathname} answered ${statusCode}`);
}

async function openAsset(
  container: ContainerClient | null,
  assetName: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<OpenInput & { readonly length: number | null }> {
  const file = container === null ? null : (files[0] ?? (await firstFile(container, signal)));
  if (container === null || file === null)
    throw new EncodingFailure("DownloadNotAccessible", `the input asset '${assetName}' has no files`);
  const answer = await container.getBlobClient(file).download(0, undefined, { abortSignal: signal });
  const { readableStreamBody: body, contentLength } = answer;
  if (body === undefined) throw new Error(`storage answered without a body for ${file}`);
  return { name: nameOf(file), body: body as Readable, length: contentLength ?? null };
}

async function firstFile(container: ContainerClient, signal: AbortSignal): Promise<string | null> {
  for await (const { name } of container.listBlobsFlat({ abortSignal: signal })) if (!MANIFESTS.test(name)) return name;
  return null;
}

/** Fit for blobs and for URLs: the last segment without its extension. */
function nameOf(path: string): string {
  const base = path.split("/").at(-1) ?? "";
  const stem = base.replace(/\.[^.]*$/, "").replace(/%[0-9a-f]{2}|[^A-Za-z0-9_-]+/gi, "-");
  return stem.replace(/^-+|-+$/g, "").slice(0, 60) || "video";
}

function lengthRefusal(length: number | null, maxBytes: number): EncodingFailure | null {
  if (length === 0) return empty();
  return length !== null && length > maxBytes ? tooLarge(maxBytes) : null;
}

function empty(): EncodingFailure {
  return new EncodingFailure("ContentMalformed", "the input has no bytes");
}

function tooLarge(maxBytes: number): EncodingFailure {
  return new EncodingFailure("ContentUnsupported", `the input is larger than the sandbox takes, ${Math.floor(maxBytes / 1_048_576)} MiB`);
}

/** The text of the cause has no address: that may hold a SAS. */
function downloadFailure(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error;
  if (error instanceof EncodingFailure) return error;
  if (error instanceof RestError && error.statusCode !== undefined) {
    const code = error.statusCode >= 500 || error.statusCode === 429 ? "DownloadTransientError" : "DownloadNotAccessible";
    return new EncodingFailure(code, `the region's storage answered ${error.statusCode} ${error.code ?? ""}`.trim());
  }
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code === "string")
    return new EncodingFailure(
      NOT_THERE.includes(code) ? "DownloadNotAccessible" : "DownloadTransientError",
      `the source cannot be read: ${code}`,
    );
  return new EncodingFailure("DownloadTransientError", `the source cannot be read: ${withoutAddresses(errorChain(error))}`);
}

function withoutAddresses(text: string): string {
  return text.replace(/https?:\/\/\S+/g, "(address)");
}
