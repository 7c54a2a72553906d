/** From what an origin, or this kernel itself, lists to the one ladder that every region gets. Pure. */
import { type Attribute, attributeValue, parseAttributes, quoted, withAttributes } from "./attributes.ts";
import { type Entry, isEntry, type Item } from "./entries.ts";
import { type Line, tagOf } from "./lines.ts";
import { described } from "./place.ts";
import { Refusal } from "../refusal.ts";
import { isOwnSteering, STEERING_TAG } from "./steeringTag.ts";

/** Attributes that name a group of renditions. CLOSED-CAPTIONS is none of them: see `entries.ts`. */
const GROUP_ATTRIBUTES = ["GROUP-ID", "AUDIO", "VIDEO", "SUBTITLES"];

/** Between a group's name and its pathway's: no character of a pathway's id, so that no two names fall together. */
const SEPARATOR = "@";

/** The groups of a line for one pathway, as they are to be written. */
export function groupsOf(attributes: readonly Attribute[], pathway: string): readonly (readonly [string, string])[] {
  return groups(attributes).map(({ name, value }) => [name, quoted(value + SEPARATOR + pathway)]);
}

/** The entries of one region: all of an origin's playlist, one pathway of our own. Refuses what steers by itself or lists copies. */
export function oneLadder(items: readonly Item[], from: string, reloadUri: string): readonly Item[] {
  const steering = items.flatMap((item) => (isEntry(item) || tagOf(item.line.text) !== STEERING_TAG ? [] : [item.line.text]));
  const own = steering.some((line) => isOwnSteering(line, reloadUri));
  const ladder = own ? onlyPathway(items, from) : items;
  const entries = ladder.filter(isEntry);
  if (!own) refuseOwnPathways(entries, steering.length > 0);
  if (!entries.some(({ kind }) => kind === "variant")) throw new Refusal("malformed", "it lists no variant");
  refuseCopies(entries);
  return ladder;
}

function groups(attributes: readonly Attribute[]): readonly Attribute[] {
  return attributes.filter(({ name }) => GROUP_ATTRIBUTES.includes(name));
}

/** Undoes what `steerHls` did, so that doing it again changes nothing: the region's entries, in the places of the pathway listed first. */
function onlyPathway(items: readonly Item[], id: string): readonly Item[] {
  const entries = items.filter(isEntry);
  const first = entries[0] === undefined ? null : pathwayOf(entries[0]);
  const own = entries.filter((entry) => pathwayOf(entry) === id).map((entry) => withoutPathway(entry, id));
  if (own.length === 0 || own.length !== entries.filter((entry) => pathwayOf(entry) === first).length) {
    throw new Refusal("unsteerable", `it is steered already, and does not list the pathway ${id} as it does the others`);
  }
  let taken = 0;
  return items.flatMap((item): Item[] => {
    if (!isEntry(item)) return [item];
    return pathwayOf(item) === first ? own.slice(taken, (taken += 1)) : [];
  });
}

function withoutPathway(entry: Entry, id: string): Entry {
  const suffix = SEPARATOR + id;
  const named = groups(entry.attributes).filter(({ value }) => value.endsWith(suffix));
  const changes = new Map(named.map(({ name, value }) => [name, quoted(value.slice(0, -suffix.length))]));
  const [tag, ...rest] = entry.lines;
  const line: Line = { text: withAttributes(tag.text, entry.attributes, changes), end: tag.end };
  return { ...entry, lines: [line, ...rest], attributes: parseAttributes(line.text) ?? [] };
}

/** An origin that steers, or names more than one pathway, knows better than we do which copies there are. One name for all is replaced. */
function refuseOwnPathways(entries: readonly Entry[], steers: boolean): void {
  const variants = entries.filter(({ kind }) => kind === "variant");
  const ids = new Set(variants.map(pathwayOf));
  if (steers && variants.some((entry) => pathwayOf(entry) !== ".")) {
    throw new Refusal("unsteerable", `the origin steers by itself, over the pathways ${[...ids].join(", ")}`);
  }
  if (ids.size > 1) throw new Refusal("unsteerable", `the origin lists ${ids.size} pathways of its own: ${[...ids].join(", ")}`);
}

/** Absent means `.` (draft-pantos-hls-rfc8216bis §4.4.6.2). */
function pathwayOf({ attributes }: Entry): string {
  return attributeValue(attributes, "PATHWAY-ID") ?? ".";
}

/** Redundant streams (the same attributes, another URI): players would count them as pathways of their own, which no steering manifest names. */
function refuseCopies(entries: readonly Entry[]): void {
  const first = new Map<string, Entry>();
  for (const entry of entries) {
    if (entry.kind === "rendition" || entry.url === null) continue;
    const like = likeness(entry);
    const other = first.get(like);
    if (other === undefined) first.set(like, entry);
    else if (other.url?.href !== entry.url.href) {
      const detail = `lines ${other.number} and ${entry.number} list redundant streams; the second is ${described(entry.url)}`;
      throw new Refusal("unsteerable", detail);
    }
  }
}

/** All attributes but those in which one variant with two groups of renditions differs from itself. */
function likeness({ kind, attributes }: Entry): string {
  const aside = [...GROUP_ATTRIBUTES, "CLOSED-CAPTIONS", "PATHWAY-ID", "URI"];
  const told = attributes.filter(({ name }) => !aside.includes(name)).map(({ name, value }) => `${name}=${value}`);
  return JSON.stringify([kind, ...told.sort()]);
}
