/** Which assets an event gives reason to look at. What is not understood gives none. Pure. */
import { isFields, type EventFields, type GridEvent } from "../../core/events/envelope.ts";

/** What of a region events are about. */
export interface EventPlace {
  readonly region: string;
  /** Resource id of the media account, lower case; null where the region has none. */
  readonly account: string | null;
  /** URL of the blob service that holds one container per video, without a trailing slash; null where it holds none. */
  readonly storage: string | null;
  /** Containers that are videos: a name, or a prefix with `*` at its end. */
  readonly containers: string;
}

export interface Look {
  readonly region: string;
  readonly asset: string;
  /** The asset is there, and its locator may be made at any moment: no event tells of that. */
  readonly soon: boolean;
}

export function looksOf(event: GridEvent, places: readonly EventPlace[]): readonly Look[] {
  if (event.eventType.startsWith("Microsoft.Media.Job")) return encoded(event, places);
  if (event.eventType === "Microsoft.Storage.BlobCreated" || event.eventType === "Microsoft.Storage.BlobRenamed")
    return written(event, places);
  return [];
}

/** Assets that an encoding job has finished, by the event of the job or of the output. */
function encoded({ eventType, topic, data }: GridEvent, places: readonly EventPlace[]): readonly Look[] {
  const account = topic.toLowerCase();
  const region = places.find((place) => place.account !== null && isSameResource(account, place.account))?.region;
  if (region === undefined) return [];
  const assets = outputsOf(eventType, data).flatMap(finishedAsset);
  return [...new Set(assets)].map((asset) => ({ region, asset, soon: true }));
}

function outputsOf(eventType: string, { outputs, output }: EventFields): readonly EventFields[] {
  if (eventType.endsWith(".JobFinished")) return Array.isArray(outputs) ? outputs.filter(isFields) : [];
  return eventType.endsWith(".JobOutputFinished") && isFields(output) ? [output] : [];
}

function finishedAsset({ assetName, state = "Finished" }: EventFields): readonly string[] {
  return typeof assetName === "string" && assetName !== "" && state === "Finished" ? [assetName] : [];
}

/** A resource id, with or without the part that says where the account is. */
function isSameResource(topic: string, account: string): boolean {
  return topic === account || topic.endsWith(account);
}

/** Containers whose manifest was written: by convention it comes last. */
function written({ data }: GridEvent, places: readonly EventPlace[]): readonly Look[] {
  const target = data["destinationUrl"] ?? data["url"];
  if (typeof target !== "string") return [];
  for (const { region, storage, containers } of places) {
    const path = storage !== null && target.startsWith(`${storage}/`) ? target.slice(storage.length + 1) : "";
    // At the top level only: players are sent to no other.
    const container = /^([^/]+)\/[^/]+\.(?:m3u8|mpd)$/i.exec(path)?.[1];
    if (container !== undefined && isVideo(container, containers)) return [{ region, asset: container, soon: false }];
  }
  return [];
}

function isVideo(container: string, containers: string): boolean {
  if (container.startsWith("$")) return false;
  return containers.endsWith("*") ? container.startsWith(containers.slice(0, -1)) : container === containers;
}
