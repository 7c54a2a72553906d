/** Does to one call what a schedule says, as the services and what lies before them would. */
import type { BlockBlobClient } from "@azure/storage-blob";
import type { Answer, Call, Outcome, Serve } from "./gate.ts";
import { blobOf } from "./operation.ts";
import type { Region } from "./regions.ts";
import type { PlannedFault } from "./schedule.ts";

/** What a Retry-After says, in seconds. */
export const RETRY_AFTER_S = 2;
const SLOW_MS = 100;

export interface DamageTools {
  /** The region that the call goes to. */
  readonly region: Region;
  /** Real milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

export async function inflict(planned: PlannedFault, call: Call, serve: Serve, tools: DamageTools): Promise<Outcome> {
  const { fault, variant } = planned;
  // The service did it, and nobody is told.
  const late = variant % 2 === 1;
  if (late && (fault === "500" || fault === "timeout" || fault === "reset")) await serve();
  if (fault === "timeout") return { kind: "silence" };
  if (fault === "reset") return { kind: "reset" };
  if (fault === "truncated") return { kind: "cut", answer: await serve() };
  return { kind: "answer", answer: await answerOf(planned, call, serve, tools) };
}

async function answerOf({ fault, variant }: PlannedFault, call: Call, serve: Serve, tools: DamageTools): Promise<Answer> {
  const odd = variant % 2 === 1;
  switch (fault) {
    case "429":
      return throttled(call, odd);
    case "409":
      return refusal(call, 409, odd ? "Conflict" : "BlobAlreadyExists");
    case "wrong body":
      return otherBody(call, await serve(), variant);
    case "no effect":
      return pretended(call);
    case "wrong bytes":
      return corrupted(call, serve, tools.region);
    case "slow":
      await tools.pause(SLOW_MS * (1 + variant));
      return serve();
    default:
      return refusal(call, 500, "InternalError");
  }
}

/** An error as the service words it. */
function refusal(call: Call, status: number, code: string, extra: readonly string[] = []): Answer {
  if (call.service !== "storage") {
    const body = Buffer.from(JSON.stringify({ error: { code, message: `A test answers ${status}.` } }));
    return { status, headers: ["content-type", "application/json; charset=utf-8", ...extra], body };
  }
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>A test answers ${status}.</Message></Error>`;
  const body = call.method === "HEAD" ? Buffer.alloc(0) : Buffer.from(xml);
  return { status, headers: [...STORAGE, "x-ms-error-code", code, "content-type", "application/xml", ...extra], body };
}

const STORAGE = ["x-ms-request-id", "of-a-test", "x-ms-version", "2025-01-05"] as const;

function throttled(call: Call, busy: boolean): Answer {
  const wait = ["retry-after", String(RETRY_AFTER_S)];
  return busy && call.service === "storage" ? refusal(call, 503, "ServerBusy", wait) : refusal(call, 429, "TooManyRequests", wait);
}

const LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Who are you?</form></body></html>";

/** What is between, or broken within, answers 200 with something else. */
function otherBody(call: Call, answer: Answer, variant: number): Answer {
  const { status, headers, body } = answer;
  if (variant === 0) return { status: 200, headers: ["content-type", "text/html"], body: Buffer.from(LOGIN_PAGE) };
  // The first half, as if it were all.
  if (variant === 1) return { status, headers, body: body.subarray(0, Math.floor(body.length / 2)) };
  if (call.service === "management") return { status, headers, body: Buffer.from(variant === 2 ? "{}" : "null") };
  const isContent = blobOf(call.target)?.blob !== "" && call.method === "GET" && !call.target.includes("comp=");
  if (isContent) return { status, headers, body: flipped(body) };
  const xml = variant === 2 ? '<?xml version="1.0" encoding="utf-8"?><Nonsense/>' : "";
  return { status, headers, body: Buffer.from(xml) };
}

/** A success that did nothing. */
function pretended(call: Call): Answer {
  if (call.service === "storage") {
    const moment = new Date(0).toUTCString();
    const copied = call.copies ? ["x-ms-copy-id", "of-a-test", "x-ms-copy-status", "success"] : [];
    const headers = [...STORAGE, "etag", '"0x8D0000000000000"', "last-modified", moment, "date", moment, ...copied];
    return { status: call.copies && !call.target.includes("comp=") ? 202 : 201, headers, body: Buffer.alloc(0) };
  }
  const asked = parsed(call.body);
  const name = call.target.slice(0, call.target.indexOf("?")).split("/").at(-1) ?? "";
  const body = Buffer.from(JSON.stringify({ name, id: call.target.split("?")[0], type: "Microsoft.Media/mediaservices", ...asked }));
  return { status: 201, headers: ["content-type", "application/json; charset=utf-8"], body };
}

function parsed(body: Buffer): object {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** A copy that is reported complete, under the name, the length and the MD5 of its source, with another byte in it. */
async function corrupted(call: Call, serve: Serve, region: Region): Promise<Answer> {
  if (!call.copies && call.body.length > 0) return serve({ ...call, body: flipped(call.body), headers: withoutMd5(call.headers) });
  const answer = await serve();
  const at = blobOf(call.target);
  if (answer.status >= 300 || at === null || call.target.includes("comp=")) return answer;
  const etag = await rewrite(region.blobs.getContainerClient(at.container).getBlockBlobClient(at.blob));
  return etag === null ? answer : { ...answer, headers: replaced(answer.headers, "etag", etag) };
}

/** The new ETag; null where there is no byte to change. */
async function rewrite(client: BlockBlobClient): Promise<string | null> {
  const content = await client.downloadToBuffer();
  if (content.length === 0) return null;
  const { contentType, cacheControl, contentMD5, metadata = {} } = await client.getProperties();
  const blobHTTPHeaders = Object.fromEntries(
    Object.entries({ blobContentType: contentType, blobCacheControl: cacheControl, blobContentMD5: contentMD5 }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  const { etag = null } = await client.upload(flipped(content), content.length, { blobHTTPHeaders, metadata });
  return etag;
}

function flipped(content: Buffer): Buffer {
  const other = Buffer.from(content);
  const middle = Math.floor(other.length / 2);
  if (other.length > 0) other.writeUInt8(other.readUInt8(middle) ^ 1, middle);
  return other;
}

function withoutMd5(headers: readonly string[]): readonly string[] {
  return headers.filter((_, at) => !["content-md5", "x-ms-content-crc64"].includes((headers[at - (at % 2)] ?? "").toLowerCase()));
}

function replaced(headers: readonly string[], name: string, value: string): readonly string[] {
  return headers.map((old, at) => (at % 2 === 1 && (headers[at - 1] ?? "").toLowerCase() === name ? value : old));
}
