/**
 * Replays what was recorded of the real media service against the emulator: the same requests must give the same status, headers and
 * bodies, apart from values that a server assigns (ids, times, names of people and hosts, signatures, generated key values).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../fakes/clock.ts";
import { fixture, type Answer, type Fixture } from "../sandbox/management/fixture.ts";

const FOLDER = new URL("../../../shared/ams/recordings/", import.meta.url);
const OPERATION_MS = 2000;
const COMPARED_HEADERS = ["cache-control", "content-type", "content-language", "odata-version"];

/** Why an exchange differs. `sent`: the emulator is asked all the same, and must answer differently: else the line has to go. */
interface Difference {
  readonly reason: string;
  readonly sent: boolean;
}

const PREVIEW = "the preview version of 2018 had no system data and fewer account properties; the emulator speaks the later versions";

/** By file and index. All other exchanges must match. */
const KNOWN_DIFFERENCES: Readonly<Record<string, Difference>> = {
  "content_key_policy_create_with_playready.json#0": { reason: PREVIEW, sent: true },
  "content_key_policy_create_with_playready.json#1": { reason: PREVIEW, sent: true },
  "content_key_policy_create_with_playready_success.json#0": {
    reason: "the service throttled the request (429) and the client repeated it",
    sent: false,
  },
  "streaming_endpoint_update.json#8": {
    reason: "the service's content delivery network failed (InternalError); the emulator has none that could",
    sent: true,
  },
  "dotnet-2022-08-01-condensed.json#2": { reason: "creation of an account, recorded without its bodies", sent: false },
  "dotnet-2022-08-01-condensed.json#3": { reason: "operation of the creation before, recorded without its id", sent: false },
};

interface Exchange {
  readonly request: { readonly method: string; readonly uri: string; readonly body: unknown };
  readonly response: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown };
}

interface Recording {
  readonly file: string;
  readonly exchanges: readonly Exchange[];
  /** Bodies were shortened by hand: what is there must be in ours. */
  readonly condensed: boolean;
}

interface CondensedEntry {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: { readonly status: number; readonly body?: unknown };
}

const available = existsSync(FOLDER);
const recordings = available ? readRecordings() : [];

describe.skipIf(!available)("recordings of the real service (../shared/ams/recordings)", () => {
  it.each(recordings.map((recording) => [recording.file, recording] as const))("%s", async (_, recording) => {
    expect(await replay(recording)).toEqual([]);
  });

  it("are all replayed but for the known differences", () => {
    const all = recordings.flatMap(({ file, exchanges }) => exchanges.map((_, at) => `${file}#${at}`));
    const unknown = Object.keys(KNOWN_DIFFERENCES).filter((name) => !all.includes(name));
    expect(unknown).toEqual([]);
    expect(all.length - Object.keys(KNOWN_DIFFERENCES).length).toBe(290);
  });
});

function readRecordings(): Recording[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return files.toSorted().map((file) => {
    const content = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as
      | readonly Exchange[]
      | { note: string; entries: readonly CondensedEntry[] };
    if (!("note" in content)) return { file, exchanges: content, condensed: false };
    return { file, exchanges: content.entries.map(fullExchange), condensed: true };
  });
}

function fullExchange({ request, response }: CondensedEntry): Exchange {
  const path = request.path.replace(/^\/mediaServices\/[^/]+/i, "/mediaServices/condensed");
  const uri = `https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Media${path}`;
  return {
    request: { method: request.method, uri, body: request.body ?? null },
    response: { status: response.status, headers: {}, body: response.body ?? null },
  };
}

/** The differences, one text each. */
async function replay({ file, exchanges, condensed }: Recording): Promise<string[]> {
  await using emulated = await emulator(exchanges, condensed);
  const state: ReplayState = { emulated, condensed, known: new Set(), operations: new Map() };
  const differences: string[] = [];
  for (const [at, exchange] of exchanges.entries()) {
    const expected = KNOWN_DIFFERENCES[`${file}#${at}`];
    if (expected?.sent === false) continue;
    const difference = await replayOne(state, exchange);
    if ((difference === null) === (expected === undefined)) continue;
    differences.push(
      `${file}#${at} ${exchange.request.method} ${exchange.request.uri}\n${difference ?? "  agrees, and is listed as different"}`,
    );
  }
  return [...differences, ...emulated.failures.map(String)];
}

interface ReplayState {
  readonly emulated: Fixture;
  readonly condensed: boolean;
  /** GUIDs that requests named: these must come back as they are. */
  readonly known: Set<string>;
  /** Recorded ids of operations to ours. */
  readonly operations: Map<string, string>;
}

async function replayOne({ emulated, condensed, known, operations }: ReplayState, exchange: Exchange): Promise<string | null> {
  const { request, response } = exchange;
  const body = requestBody(request.body);
  for (const guid of guids(request.uri + JSON.stringify(body ?? ""))) if (!operations.has(guid)) known.add(guid);
  if (hasSettled(exchange)) await emulated.clock.advance(OPERATION_MS);
  const answer = await emulated.call(request.method, localPath(request.uri, operations), body);
  for (const [theirs, ours] of operationIds(response.headers, answer)) operations.set(theirs, ours);
  const order = inOrder(request.uri);
  const recorded = { status: response.status, headers: recordedHeaders(response.headers), body: order(response.body ?? null) };
  const answered = { status: answer.status, headers: answeredHeaders(answer, response.headers), body: order(answer.body) };
  const [expected, actual] = [normalise(recorded, known), normalise(answered, known)];
  if (agrees(expected, actual, condensed)) return null;
  return `  recorded ${JSON.stringify(expected)}\n  emulated ${JSON.stringify(actual)}`;
}

async function emulator(exchanges: readonly Exchange[], provisioned: boolean): Promise<Fixture> {
  const [, subscriptionId = "", resourceGroup = "", name = ""] =
    /subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Media\/mediaservices\/([^/?]+)/i.exec(
      exchanges[0]?.request.uri ?? "",
    ) ?? [];
  const recordedAt = /"created(?:At)?":"([^"]+)"/.exec(JSON.stringify(exchanges))?.[1] ?? "";
  const account = { subscriptionId, resourceGroup, name };
  const switches = { operationMs: OPERATION_MS };
  return fixture({ account, provisioned, defaultEndpoint: "Stopped", switches }, new ManualClock(Date.parse(recordedAt)));
}

/** Account filters are the one list whose recorded order follows neither name nor age as the others do: it is compared as a set. */
function inOrder(uri: string): (body: unknown) => unknown {
  const name = (item: unknown) => JSON.stringify(item);
  if (!/\/accountFilters\?/.test(uri)) return (body) => body;
  return (body) => {
    const { value } = body as { value: readonly unknown[] };
    return { ...(body as object), value: value.toSorted((a, b) => (name(a) < name(b) ? -1 : 1)) };
  };
}

/** The recorder of 2018 kept the text of a Python byte string, or that of the text. */
function requestBody(body: unknown): unknown {
  if (typeof body !== "string") return body ?? undefined;
  return JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1)) as unknown;
}

/** Whether the service had finished its operation when this was asked: no answer that was recorded tells of one in progress. */
function hasSettled({ request, response }: Exchange): boolean {
  if (request.method !== "GET") return false;
  return !/"(?:status|provisioningState)":"InProgress"/.test(JSON.stringify(response.body));
}

function localPath(uri: string, operations: ReadonlyMap<string, string>): string {
  const { pathname, search } = new URL(uri);
  return `${pathname}${search}`.replace(GUID, (guid) => operations.get(guid) ?? guid);
}

const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

function guids(text: string): string[] {
  return text.match(GUID) ?? [];
}

function operationIds(theirs: Readonly<Record<string, string>>, ours: Answer): [string, string][] {
  const id = (url: string | null | undefined) => /operations\/([0-9a-f-]{36})/.exec(url ?? "")?.[1];
  const [recorded, own] = [id(theirs["azure-asyncoperation"]), id(ours.headers.get("azure-asyncoperation"))];
  return recorded === undefined || own === undefined ? [] : [[recorded, own]];
}

/** URLs of operations without host and operation id. */
function operationUrl(url: string): string {
  return url.replace(/^https?:\/\/[^/]+/, "").replace(GUID, (guid) => (guid.startsWith("00000000") ? guid : "<operation>"));
}

function recordedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    COMPARED_HEADERS.includes(name) ? value : operationUrl(value),
  ]);
  return Object.fromEntries(kept);
}

/** Ours may have more headers than the recorder kept, but none of the compared ones. */
function answeredHeaders(answer: Answer, recorded: Readonly<Record<string, string>>): Record<string, string> {
  if (Object.keys(recorded).length === 0) return {};
  const kept = [...answer.headers].filter(
    ([name]) => COMPARED_HEADERS.includes(name) || name === "azure-asyncoperation" || name === "location",
  );
  return recordedHeaders(Object.fromEntries(kept));
}

function normalise(value: unknown, known: ReadonlySet<string>, name = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item, known, name));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalise(item, known, key)]));
  }
  return typeof value === "string" ? normaliseText(value, known, name) : value;
}

function normaliseText(text: string, known: ReadonlySet<string>, name: string): string {
  if (/^(created|lastModified|createdAt|lastModifiedAt)$/.test(name) && !text.startsWith("2018-03-19T06")) return timeShape(text);
  if (/^(createdBy|lastModifiedBy|createdByType|lastModifiedByType)$/.test(name)) return "<somebody>";
  if (name === "hostName") return "<host>";
  if (name === "value" && /^[A-Za-z0-9+/]{22}==$/.test(text)) return "<16 bytes>";
  if (name === "assetContainerSasUrls") return sasShape(text);
  return text.replace(GUID, (guid) => (known.has(guid) ? guid : "<guid>"));
}

/** The two precisions that the service has: of 100 ns, and of its database's milliseconds ending in 0, 3 or 7. */
function timeShape(text: string): string {
  const decimals = /\.(\d+)Z$/.exec(text)?.[1] ?? "";
  if (decimals.length > 3) return "<time of 100 ns>";
  return /^(\d\d[037]|\d\d?)?$/.test(decimals) ? "<time of the database>" : text;
}

function sasShape(text: string): string {
  const { pathname, searchParams } = new URL(text);
  const container = pathname.split("/").at(-1)?.replace(GUID, "<guid>");
  return `${container} ${["sr", "sp", "se"].map((name) => `${name}=${searchParams.get(name)}`).join(" ")} ${searchParams.has("sig")}`;
}

function agrees(expected: unknown, actual: unknown, condensed: boolean): boolean {
  if (!condensed) return isDeepStrictEqual(expected, actual);
  try {
    expect(actual).toMatchObject(withoutId(expected));
    return true;
  } catch {
    return false;
  }
}

/** Condensed recordings are of accounts of several names. */
function withoutId(answer: unknown): object {
  return JSON.parse(
    JSON.stringify(answer)
      .replaceAll(/"(id|storageAccountName)":"[^"]*",?/g, "")
      .replaceAll(",}", "}"),
  ) as object;
}
