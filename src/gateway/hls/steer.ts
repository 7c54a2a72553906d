/**
 * A multivariant playlist that names every region, best first, and steers players among them. Text in, text out: only what must change does.
 * The ladders are the same in every region by construction, for players stumble over ones that differ (Media3), and no PATHWAY-CLONES are
 * used, which Shaka Player and video.js cannot read. Pure.
 */
import type { Pathway, Rewritten, SteerOptions } from "../pathway.ts";
import { orRefusal, Refusal } from "../refusal.ts";
import { GATEWAY_PATHWAY } from "../../core/contracts.ts";
import { attributeValue, parseAttributes, quoted, withAttributes } from "./attributes.ts";
import { type Entry, isEntry, type Item, readItems } from "./entries.ts";
import { keyLine } from "./keys.ts";
import { groupsOf, oneLadder } from "./ladder.ts";
import { joinLines, type Line, tagOf } from "./lines.ts";
import { described, isHttp, type Move, moveBetween, moved, resolved, writable } from "./place.ts";
import { readPlaylist } from "./playlistKind.ts";
import { StableIds } from "./stableIds.ts";
import { STEERING_TAG, steeringLine } from "./steeringTag.ts";
import { Variables } from "./variables.ts";

interface Target {
  readonly id: string;
  readonly move: Move;
}

interface Plan {
  readonly options: SteerOptions;
  /** URL that the text was read from. */
  readonly url: string;
  readonly targets: readonly [Target, ...Target[]];
  readonly variables: Variables;
}

/**
 * Throws on options that contradict themselves. References to variables in URIs are resolved, those to the query of `from`'s URL with its
 * values: such a text belongs to that query. Idempotent, also over a playlist that this function has steered to the same endpoint.
 */
export function steerHls(text: string, options: SteerOptions): Rewritten {
  const pathways = options.anchor === null ? options.pathways : [...options.pathways, { id: GATEWAY_PATHWAY, url: options.anchor }];
  const { url } = checked(pathways, options);
  const [best, ...others] = pathways.map(({ id, url: to }) => ({ id, move: moveBetween(url, to) }));
  if (best === undefined) throw new RangeError("no pathways");
  return orRefusal(() => steered(text, { options, url, targets: [best, ...others], variables: new Variables(url) }));
}

/** The pathway that the text came from. */
function checked(pathways: readonly Pathway[], { from, ttlSeconds }: SteerOptions): Pathway {
  const ids = new Set(pathways.map(({ id }) => id));
  if (ids.size < pathways.length) throw new RangeError(`pathways are listed twice: ${pathways.map(({ id }) => id).join(", ")}`);
  const strange = pathways.find(({ id, url }) => !/^[\w.-]+$/.test(id) || !isHttp(new URL(url)));
  if (strange !== undefined) throw new RangeError(`${JSON.stringify(strange.id)} is no pathway: an id of [A-Za-z0-9._-] and an HTTP URL`);
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1) throw new RangeError(`a TTL of ${ttlSeconds} seconds`);
  const source = pathways.find(({ id }) => id === from);
  if (source === undefined) throw new RangeError(`the text comes from ${JSON.stringify(from)}, which is none of the pathways`);
  return source;
}

function steered(text: string, plan: Plan): Rewritten {
  const { kind, source } = readPlaylist(text);
  if (kind === "media") throw new Refusal("not_multivariant", "it is a media playlist");
  for (const { text: line } of source.lines) if (tagOf(line) === "#EXT-X-DEFINE") plan.variables.define(line);
  const items = oneLadder(readItems(source.lines, plan.variables, plan.url), plan.options.from, plan.options.reloadUri);
  const [first, last] = [items.findIndex(isEntry), items.findLastIndex(isEntry)];
  const render = renderer(plan, stableIdsOf(items.filter(isEntry), plan.url));
  const [best, ...others] = plan.targets;
  const lines = [
    ...items.slice(0, first).flatMap((item) => render.item(item, best)),
    { text: steering(plan), end: source.lines[0]?.end ?? "\n" },
    ...items.slice(first, last + 1).flatMap((item) => render.item(item, best)),
    ...others.flatMap((target) => items.filter(isEntry).flatMap((entry) => render.entry(entry, target))),
    ...items.slice(last + 1).flatMap((item) => render.item(item, best)),
  ];
  return { ok: true, text: joinLines({ ...source, lines }), boundKeys: render.boundKeys() };
}

function steering({ options, targets }: Plan): string {
  return steeringLine({ ttlSeconds: options.ttlSeconds, reloadUri: options.reloadUri, priority: targets.map(({ id }) => id) });
}

/** Ids that the playlist gives come first, so that none is given twice. */
function stableIdsOf(entries: readonly Entry[], url: string): Readonly<Record<Entry["kind"], StableIds>> {
  const variants = new StableIds(url);
  const ids = { variant: variants, iframes: variants, rendition: new StableIds(url) };
  for (const entry of entries) {
    const id = attributeValue(entry.attributes, stableIdName(entry));
    if (id !== null && entry.url !== null) ids[entry.kind].keep(entry.url, id);
  }
  return ids;
}

function stableIdName({ kind }: Entry): string {
  return kind === "rendition" ? "STABLE-RENDITION-ID" : "STABLE-VARIANT-ID";
}

interface Renderer {
  readonly item: (item: Item, target: Target) => readonly Line[];
  readonly entry: (entry: Entry, target: Target) => readonly Line[];
  /** Of the lines rendered so far. */
  readonly boundKeys: () => number;
}

function renderer(plan: Plan, ids: Readonly<Record<Entry["kind"], StableIds>>): Renderer {
  let bound = 0;
  const entry = (entry: Entry, target: Target) => entryLines(entry, target, ids[entry.kind]);
  const other = ({ text, end }: Line): readonly Line[] => {
    const tag = tagOf(text);
    if (tag === STEERING_TAG) return [];
    if (tag === "#EXT-X-SESSION-DATA") return [{ text: sessionData(text, plan), end }];
    if (tag !== "#EXT-X-SESSION-KEY") return [{ text, end }];
    const places = { url: plan.url, gateway: plan.options.reloadUri, keyUrl: plan.options.keyUrl };
    const key = keyLine(text, plan.variables, places);
    if (key.bound) bound += 1;
    return [{ text: key.text, end }];
  };
  return { entry, item: (item, target) => (isEntry(item) ? entry(item, target) : other(item.line)), boundKeys: () => bound };
}

/** One entry for one region. PATHWAY-ID stands on renditions as well: Shaka Player knows the region of subtitles by nothing else. */
function entryLines(entry: Entry, { id, move }: Target, ids: StableIds): readonly Line[] {
  const { attributes, url, kind } = entry;
  const [tag, ...rest] = entry.lines;
  const changes = new Map([...groupsOf(attributes, id), ["PATHWAY-ID", quoted(id)]]);
  const uri = url === null ? null : uriAt(url, move, entry.number);
  if (url !== null && attributeValue(attributes, stableIdName(entry)) === null) changes.set(stableIdName(entry), quoted(ids.of(url)));
  if (uri !== null && kind !== "variant") changes.set("URI", quoted(uri));
  const line: Line = { text: withAttributes(tag.text, attributes, changes), end: tag.end };
  if (uri === null || kind !== "variant") return [line];
  return [line, ...rest.slice(0, -1), { text: uri, end: rest.at(-1)?.end ?? tag.end }];
}

function uriAt(url: URL, move: Move, number: number): string {
  const uri = moved(url, move);
  if (uri !== null) return writable(uri);
  const common = `${move.origin}${move.path}/`;
  throw new Refusal("foreign_uri", `line ${number}: ${described(url)} is not under ${common}, which the regions have in common`);
}

/** Read once, by whatever region plays: at the gateway where it answers for all, else at the best region. */
function sessionData(line: string, { url: base, variables, targets, options }: Plan): string {
  const attributes = parseAttributes(line) ?? [];
  const written = attributeValue(attributes, "URI") ?? "";
  const { text, missing } = variables.substitute(written);
  const url = written === "" || missing !== null ? null : resolved(text, base);
  if (url === null || !isHttp(url)) return line;
  const { move } = options.anchor === null ? targets[0] : (targets.at(-1) ?? targets[0]);
  return withAttributes(line, attributes, new Map([["URI", quoted(writable(sessionUrl(url, move, targets)))]]));
}

function sessionUrl(url: URL, move: Move, targets: readonly Target[]): string {
  return moved(url, move) ?? moved(atSource(url, targets), move) ?? url.href;
}

/** The same at the region that the text came from: a playlist of our own names it where another region was best. */
function atSource(url: URL, targets: readonly Target[]): URL {
  const found = targets.find(({ move }) => url.href.startsWith(`${move.to}/`));
  return found === undefined ? url : new URL(found.move.origin + found.move.path + url.href.slice(found.move.to.length));
}
