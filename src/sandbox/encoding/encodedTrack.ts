/** Pure: a file that an encoder has made, as the manifests describe it. */
import { MP4BoxBuffer, createFile } from "mp4box";
import { parseTrackIndex } from "../streaming/trackIndex.ts";
import type { EncodedTrack } from "./manifests.ts";

/** `bytes`: the head of the file, to the end of its index at least. Throws for what is not one fragmented track with a global index. */
export function readTrack(kind: EncodedTrack["kind"], file: string, language: string, bytes: Uint8Array<ArrayBuffer>): EncodedTrack {
  const index = parseTrackIndex(bytes, file);
  if (index === null) throw new Error(`${file} has no global sidx`);
  const bits = index.fragments.reduce((sum, { size }) => sum + size * 8, 0);
  const units = index.fragments.reduce((sum, { duration }) => sum + duration, 0);
  const bitrate = Math.max(1, Math.round((bits * index.timescale) / units / 1000)) * 1000;
  return { kind, file, language, bitrate, index, codecPrivateData: codecPrivateData(bytes, file) };
}

/** Renditions of a track are told apart by their bit rates: of two that came out alike, one is named a little higher. */
export function distinct(tracks: readonly EncodedTrack[]): EncodedTrack[] {
  const taken = new Set<string>();
  return tracks.map((track) => {
    let { bitrate } = track;
    while (taken.has(`${track.kind} ${bitrate}`)) bitrate += 1000;
    taken.add(`${track.kind} ${bitrate}`);
    return { ...track, bitrate };
  });
}

function codecPrivateData(bytes: Uint8Array<ArrayBuffer>, file: string): string {
  const iso = createFile();
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(bytes.slice().buffer, 0));
  const entry = iso.moov.traks[0]?.mdia.minf.stbl.stsd.entries[0];
  if (entry !== undefined && "avcC" in entry) {
    const { SPS, PPS } = entry.avcC as {
      readonly SPS: readonly { readonly data: Uint8Array }[];
      readonly PPS: readonly { readonly data: Uint8Array }[];
    };
    return [...SPS, ...PPS].map(({ data }) => `00000001${Buffer.from(data).toString("hex")}`).join("");
  }
  if (entry !== undefined && "esds" in entry) {
    const { esd } = entry.esds as { readonly esd: Descriptor };
    const specific = descriptor(esd, 5);
    if (specific?.data !== undefined) return Buffer.from(specific.data).toString("hex");
  }
  throw new Error(`${file} has neither avcC nor esds`);
}

interface Descriptor {
  readonly tag: number;
  readonly descs?: readonly Descriptor[];
  readonly data?: Uint8Array;
}

function descriptor(from: Descriptor, tag: number): Descriptor | undefined {
  return from.tag === tag ? from : from.descs?.map((inner) => descriptor(inner, tag)).find((found) => found !== undefined);
}
