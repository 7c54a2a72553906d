/** The DASH manifest of an asset (ISO/IEC 23009-1, isoff-live, `$Time$`). Every URL but the key's is relative. Pure. */
import type { IndexedTrack } from "./assets.ts";
import { type PlayerKey, hex } from "./hls.ts";
import { type Packaging, packagingText } from "./path.ts";
import type { Fragment, TrackIndex } from "./trackIndex.ts";

/** A static MPD. With a key: segment encryption of ISO/IEC 23009-4, one CryptoPeriod for all segments, initialization included. */
export function mediaPresentation(tracks: readonly IndexedTrack[], packaging: Packaging, key: PlayerKey): string {
  const longest = Math.max(...tracks.map(({ index }) => durationOf(index)));
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" ' +
      `mediaPresentationDuration="PT${longest.toFixed(3)}S" minBufferTime="PT2S">`,
    '  <Period id="1" start="PT0S">',
    ...adaptationSets(tracks).flatMap((set, at) => adaptationSet(set, at + 1, packaging, key)),
    "  </Period>",
    "</MPD>",
    "",
  ].join("\n");
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

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
