/** Pure: the manifests that an encoder leaves beside its files: the server's (`.ism`), and the client's of Smooth Streaming (`.ismc`). */
import type { TrackIndex } from "../streaming/trackIndex.ts";

export interface EncodedTrack {
  readonly kind: "video" | "audio";
  readonly file: string;
  /** BCP 47, `und` where it is not known. */
  readonly language: string;
  /** Measured, bits per second. */
  readonly bitrate: number;
  readonly index: TrackIndex;
  /** Hexadecimal, as Smooth Streaming has it: parameter sets with start codes, or the AudioSpecificConfig. */
  readonly codecPrivateData: string;
}

/** `name` is that of both manifests, without the dot. */
export function serverManifest(name: string, tracks: readonly EncodedTrack[]): string {
  const entries = tracks.flatMap(({ kind, file, language, bitrate }) => [
    `      <${kind} src="${file}" systemBitrate="${bitrate}" systemLanguage="${language}">`,
    '        <param name="trackID" value="1" valuetype="data" />',
    `        <param name="trackName" value="${kind}" valuetype="data" />`,
    `      </${kind}>`,
  ]);
  return [
    '<?xml version="1.0" encoding="utf-8" standalone="yes"?>',
    '<smil xmlns="http://www.w3.org/2001/SMIL20/Language">',
    "  <head>",
    '    <meta name="formats" content="mp4" />',
    `    <meta name="clientManifestRelativePath" content="${name}.ismc" />`,
    "  </head>",
    "  <body>",
    "    <switch>",
    ...entries,
    "    </switch>",
    "  </body>",
    "</smil>",
    "",
  ].join("\n");
}

/** Smooth Streaming counts in units of 100 ns. */
const TICKS = 10_000_000;

export function clientManifest(tracks: readonly EncodedTrack[]): string {
  const streams = (["video", "audio"] as const).flatMap((kind) =>
    streamIndex(
      kind,
      tracks.filter((track) => track.kind === kind),
    ),
  );
  const duration = Math.max(...tracks.map(({ index }) => endTicks(index)));
  const root = `<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="${duration}">`;
  return ['<?xml version="1.0" encoding="utf-8"?>', root, ...streams, "</SmoothStreamingMedia>", ""].join("\n");
}

function endTicks({ fragments, timescale }: TrackIndex): number {
  const last = fragments.at(-1);
  return last === undefined ? 0 : Math.round(((last.time + last.duration) * TICKS) / timescale);
}

function streamIndex(kind: EncodedTrack["kind"], tracks: readonly EncodedTrack[]): string[] {
  const index = tracks[0]?.index;
  if (index === undefined) return [];
  const chunks = index.fragments.map(({ duration }, at) => `    <c n="${at}" d="${Math.round((duration * TICKS) / index.timescale)}" />`);
  const url = `QualityLevels({bitrate})/Fragments(${kind}={start time})`;
  const head = `Type="${kind}" Name="${kind}" Chunks="${chunks.length}" QualityLevels="${tracks.length}" Url="${url}"`;
  return [`  <StreamIndex ${head}>`, ...tracks.map(qualityLevel), ...chunks, "  </StreamIndex>"];
}

function qualityLevel({ kind, bitrate, index, codecPrivateData: data }: EncodedTrack, at: number): string {
  const shape =
    kind === "video"
      ? `FourCC="H264" MaxWidth="${index.video?.width ?? 0}" MaxHeight="${index.video?.height ?? 0}"`
      : `FourCC="AACL" AudioTag="255" BitsPerSample="16" PacketSize="4" SamplingRate="${index.audio?.sampleRate ?? 0}" Channels="${index.audio?.channels ?? 0}"`;
  return `    <QualityLevel Index="${at}" Bitrate="${bitrate}" ${shape} CodecPrivateData="${data.toUpperCase()}" />`;
}
