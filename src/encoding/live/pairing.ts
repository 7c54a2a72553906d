/** Decides what a pair of live events is to be, from what was asked for and what its regions have. Pure. */
import { durationText, isLiveAsset, liveContainer, liveName, type LiveSettings } from "../../core/live.ts";
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { MediaAsset, StreamingLocator } from "../../core/media.ts";
import type { LiveEvent, LiveOutput } from "../../core/ports/liveAccount.ts";

export interface LivePairSpec extends LiveSettings {
  readonly name: string;
  /** Null: that of an event which is there already, else a new one. */
  readonly accessToken: string | null;
  readonly archiveMs: number;
  readonly streamingPolicyName: string;
  readonly contentKeyPolicyName: string | null;
}

/** What one region has of a pair. */
export interface RegionLook {
  readonly event: LiveEvent | null;
  /** The one of the pair. */
  readonly output: LiveOutput | null;
  readonly asset: MediaAsset | null;
  /** The asset holds something, and no output writes to it. */
  readonly hasRecording: boolean;
  readonly locator: StreamingLocator | null;
}

export type Looks = ReadonlyMap<string, RegionLook>;

/** What is there and differs from what was asked for, for people; empty where it can be completed. None of it can be changed. */
export function differences(spec: LivePairSpec, look: RegionLook): readonly string[] {
  const { event, output, asset, locator } = look;
  return [
    ...(event === null ? [] : ofEvent(spec, event)),
    ...(output === null ? [] : ofOutput(spec, output)),
    ...(asset === null ? [] : differs("container", asset.container, liveContainer(spec.name))),
    ...(locator === null ? [] : ofLocator(spec, locator)),
  ];
}

function ofEvent(spec: LivePairSpec, event: LiveEvent): readonly string[] {
  if (!event.isOurs) return ["the event was not made by paircast"];
  const keyFrames = event.keyFrameMs === null || spec.keyFrameMs === null ? [] : [event.keyFrameMs, spec.keyFrameMs];
  const [there = 0, asked = 0] = keyFrames;
  return [
    ...differs("protocol", event.protocol, spec.protocol),
    ...differs("encoding", event.encoding, spec.encoding),
    ...differs("key frame interval", durationText(there), durationText(asked)),
    // A secret: that it differs has to do.
    ...(spec.accessToken === null || event.accessToken === null || sameToken(event.accessToken, spec.accessToken)
      ? []
      : ["another access token"]),
  ];
}

function ofOutput(spec: LivePairSpec, output: LiveOutput): readonly string[] {
  return [
    ...differs("asset of the output", output.assetName.toLowerCase(), liveName(spec.name).toLowerCase()),
    ...differs("manifest name", output.manifestName ?? "", spec.name),
    ...(output.archiveMs === null ? [] : differs("archive window", durationText(output.archiveMs), durationText(spec.archiveMs))),
  ];
}

function ofLocator(spec: LivePairSpec, locator: StreamingLocator): readonly string[] {
  return [
    ...differs("streaming policy", locator.streamingPolicyName, spec.streamingPolicyName),
    ...differs("content key policy", locator.defaultContentKeyPolicyName ?? "none", spec.contentKeyPolicyName ?? "none"),
    ...(isLiveAsset(locator.assetName) ? [] : [`the locator is of asset ${locator.assetName}`]),
  ];
}

function differs(what: string, there: string, asked: string): readonly string[] {
  return there === asked ? [] : [`${what} ${there} (asked for: ${asked})`];
}

/** The service may leave hyphens out. */
function sameToken(one: string, other: string): boolean {
  const plain = (token: string): string => token.replaceAll("-", "").toLowerCase();
  return plain(one) === plain(other);
}

/**
 * - `copied` a region has the locator: the others get its id and keys
 * - `first` none was ever made: the first that can makes it
 * - `waiting` it was made, and where it is cannot be asked: new keys would make another video of it
 */
export type Origin =
  | { readonly kind: "copied"; readonly region: string }
  | { readonly kind: "first" }
  | { readonly kind: "waiting"; readonly regions: readonly string[] };

export function originOf(looks: Looks, entry: CatalogueEntry | null): Origin {
  for (const [region, { locator }] of looks) if (locator !== null) return { kind: "copied", region };
  const unseen = entry === null || entry.keys.length === 0 ? [] : Object.keys(entry.regions).filter((region) => !looks.has(region));
  return unseen.length === 0 ? { kind: "first" } : { kind: "waiting", regions: unseen };
}

/** A GUID, lower case, of version 8 (RFC 9562, 5.8), from at least 32 hexadecimal digits. */
export function guidFrom(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
