/** The DASH manifest of an asset (ISO/IEC 23009-1, isoff-live, `$Time$`). Every URL but the key's is relative. Pure. */
import type { IndexedTrack } from "./assets.ts";
import { WINDOW, onAir } from "./live.ts";
import { type PlayerKey, hex } from "./hls.ts";
import { type Packaging, packagingText } from "./path.ts";
import { escapeXml } from "../xmlText.ts";
import type { Fragment, TrackIndex } from "./trackIndex.ts";

/** A live channel's round and the time for which its MPD is written, both in milliseconds. */
export interface OnAir {
  readonly round: number;
  readonly now: number;
}

/** A static MPD, or a dynamic one of a live channel. With a key: segment encryption of ISO/IEC 23009-4, one CryptoPeriod for all segments, initialization included. */
export function mediaPresentation(
  tracks: readonly IndexedTrack[],
  packaging: Packaging,
  key: PlayerKey,
  live: OnAir | null = null,
): string {
  const shown = live === null ? tracks : tracks.map((track) => windowOf(track, live));
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"' +
      `${attributeText(live === null ? staticAttributes(tracks) : dynamicAttributes(tracks, live))} minBufferTime="PT2S">`,
    '  <Period id="1" start="PT0S">',
    ...adaptationSets(shown).flatMap((set, at) => adaptationSet(set, at + 1, packaging, key)),
    "  </Period>",
    "</MPD>",
    "",
  ].join("\n");
}

function staticAttributes(tracks: readonly IndexedTrack[]): Record<string, string> {
  return { type: "static", mediaPresentationDuration: `PT${Math.max(...tracks.map(({ index }) => durationOf(index))).toFixed(3)}S` };
}

/** Times count from 1970, so that the period starts there. Players of the sandbox are on the same machine: no UTCTiming. */
function dynamicAttributes(tracks: readonly IndexedTrack[], { now }: OnAir): Record<string, string> {
  const longest = Math.max(...tracks.map(({ index }) => Math.max(...index.fragments.map(({ duration }) => duration / index.timescale))));
  const publishTime = new Date(Math.floor(now / 1000) * 1000).toISOString();
  return {
    type: "dynamic",
    availabilityStartTime: "1970-01-01T00:00:00Z",
    publishTime,
    minimumUpdatePeriod: `PT${longest.toFixed(3)}S`,
    timeShiftBufferDepth: `PT${(longest * WINDOW).toFixed(3)}S`,
    suggestedPresentationDelay: `PT${(longest * 3).toFixed(3)}S`,
  };
}

function windowOf(track: IndexedTrack, { round, now }: OnAir): IndexedTrack {
  return { ...track, index: { ...track.index, fragments: onAir(track.index, round, now).map(({ fragment }) => fragment) } };
}

/** One per track name, in the order of the server manifest. */
function adaptationSets(tracks: readonly IndexedTrack[]): IndexedTrack[][] {
  const byName = new Map<string, IndexedTrack[]>();
  for (const track of tracks) {
    const { kind, track: name } = track.rendition;
    byName.set(`${kind} ${name}`, [...(byName.get(`${kind} ${name}`) ?? []), track]);
  }
  return [...byName.values()];
}

function adaptationSet(tracks: readonly IndexedTrack[], id: number, packaging: Packaging, key: PlayerKey): string[] {
  const kind = tracks[0]?.rendition.kind ?? "video";
  const language = tracks[0]?.rendition.language ?? "und";
  const attributes = {
    id: String(id),
    contentType: kind,
    mimeType: `${kind}/mp4`,
    ...(language === "und" ? {} : { lang: language }),
    segmentAlignment: "true",
    startWithSAP: "1",
  };
  return [
    `    <AdaptationSet${attributeText(attributes)}>`,
    ...contentProtection(key),
    ...tracks.flatMap((track) => representation(track, packaging)),
    "    </AdaptationSet>",
  ];
}

function contentProtection(key: PlayerKey): string[] {
  if (key === null) return [];
  return [
    '      <ContentProtection xmlns:sea="urn:mpeg:dash:schema:sea:2012" schemeIdUri="urn:mpeg:dash:sea:2012">',
    '        <sea:SegmentEncryption schemeIdUri="urn:mpeg:dash:sea:aes128-cbc:2013"/>',
    '        <sea:KeySystem keySystemUri="urn:mpeg:dash:sea:keysys:http:2013"/>',
    `        <sea:CryptoPeriod${attributeText({ IV: `0x${hex(key.iv)}`, keyUriTemplate: key.keyUri })}/>`,
    "      </ContentProtection>",
  ];
}

function representation({ rendition, index }: IndexedTrack, packaging: Packaging): string[] {
  const { track, bitrate } = rendition;
  const uri = (time: string) => `QualityLevels($Bandwidth$)/Fragments(${track}=${time},${packagingText(packaging)})`;
  const template = { timescale: String(index.timescale), initialization: uri("i"), media: uri("$Time$") };
  const channels = index.audio === null ? [] : [channelConfiguration(index.audio.channels)];
  return [
    `      <Representation${attributeText({ id: `${track}-${bitrate}`, bandwidth: String(bitrate), codecs: index.codec, ...shape(index) })}>`,
    ...channels,
    `        <SegmentTemplate${attributeText(template)}>`,
    "          <SegmentTimeline>",
    ...timeline(index.fragments).map((line) => `            ${line}`),
    "          </SegmentTimeline>",
    "        </SegmentTemplate>",
    "      </Representation>",
  ];
}

function shape({ video, audio }: TrackIndex): Record<string, string> {
  if (audio !== null) return { audioSamplingRate: String(audio.sampleRate) };
  if (video === null) return {};
  const rate = video.frameRate;
  const frameRate =
    rate === null ? {} : { frameRate: rate.denominator === 1 ? String(rate.numerator) : `${rate.numerator}/${rate.denominator}` };
  return { width: String(video.width), height: String(video.height), ...frameRate };
}

function channelConfiguration(channels: number): string {
  const scheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";
  return `        <AudioChannelConfiguration schemeIdUri="${scheme}" value="${channels}"/>`;
}

/** `S` elements; fragments of one length are one element with `@r`. */
function timeline(fragments: readonly Fragment[]): string[] {
  const runs: { time: number; duration: number; repeat: number }[] = [];
  for (const { time, duration } of fragments) {
    const last = runs.at(-1);
    if (last !== undefined && last.duration === duration) last.repeat += 1;
    else runs.push({ time, duration, repeat: 0 });
  }
  return runs.map(({ time, duration, repeat }) => `<S t="${time}" d="${duration}"${repeat > 0 ? ` r="${repeat}"` : ""}/>`);
}

function durationOf({ fragments, timescale }: TrackIndex): number {
  const last = fragments.at(-1);
  return last === undefined ? 0 : (last.time + last.duration) / timescale;
}

function attributeText(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join("");
}
