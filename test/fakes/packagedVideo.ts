/** A small packaged video as files under paths: HLS with two variants and audio, clear or AES-128, and an MPD. Real boxes, no pictures. */
import { createCipheriv, createHash } from "node:crypto";

/** Path -> content, as an origin would serve it. */
export type Files = Map<string, Uint8Array>;

export interface Encryption {
  readonly key: Uint8Array;
  /** As written into the playlists. */
  readonly keyUri: string;
  /** Left out: the media sequence number. */
  readonly iv?: Uint8Array;
}

export interface PackagingOptions {
  readonly encryption?: Encryption;
  readonly live?: boolean;
  readonly mediaSequence?: number;
}

export const SEGMENTS = 4;
const TRACKS = ["v1", "v2", "a1"];

export function box(type: string, size: number): Uint8Array {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(size, 0);
  bytes.write(type, 4, "latin1");
  for (let at = 8; at < size; at += 1) bytes[at] = (at * 37) & 0xff;
  return bytes;
}

/** Files under `base` (which ends with `/`): `master.m3u8`, `manifest.mpd`, `{track}.m3u8`, `{track}/init.mp4`, `{track}/{n}.m4s`. */
export function packageVideo(base: string, options: PackagingOptions = {}): Files {
  const files: Files = new Map();
  files.set(`${base}master.m3u8`, text(MASTER));
  files.set(`${base}manifest.mpd`, text(mpd(options.encryption)));
  for (const track of TRACKS) {
    files.set(`${base}${track}.m3u8`, text(mediaPlaylist(track, options)));
    files.set(`${base}${track}/init.mp4`, box("ftyp", 120));
    for (let index = 0; index < SEGMENTS; index += 1) files.set(`${base}${track}/${index}.m4s`, segment(index, options));
  }
  return files;
}

const MASTER = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="a1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360,AUDIO="aac"
v1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2400000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="aac"
v2.m3u8
`;

function mediaPlaylist(track: string, { encryption, live, mediaSequence }: PackagingOptions): string {
  const iv = encryption?.iv === undefined ? "" : `,IV=0x${Buffer.from(encryption.iv).toString("hex")}`;
  const lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4", `#EXT-X-MEDIA-SEQUENCE:${mediaSequence ?? 0}`];
  lines.push(`#EXT-X-MAP:URI="${track}/init.mp4"`);
  if (encryption !== undefined) lines.push(`#EXT-X-KEY:METHOD=AES-128,URI="${encryption.keyUri}"${iv}`);
  for (let index = 0; index < SEGMENTS; index += 1) lines.push("#EXTINF:4.0,", `${track}/${index}.m4s`);
  if (live !== true) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

function mpd(encryption: Encryption | undefined): string {
  const iv = Buffer.from(encryption?.iv ?? new Uint8Array(16)).toString("hex");
  const protection =
    encryption === undefined
      ? ""
      : `<ContentProtection schemeIdUri="urn:mpeg:dash:sea:2012" xmlns:sea="urn:mpeg:dash:schema:sea:2012">
<sea:SegmentEncryption schemeIdUri="urn:mpeg:dash:sea:aes128-cbc:2013"/>
<sea:CryptoPeriod IV="0x${iv}" keyUriTemplate="${encryption.keyUri.replaceAll("&", "&amp;")}"/></ContentProtection>`;
  const template = `<SegmentTemplate timescale="1" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s"><SegmentTimeline><S t="0" d="4" r="${SEGMENTS - 1}"/></SegmentTimeline></SegmentTemplate>`;
  return `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT16S" profiles="urn:mpeg:dash:profile:isoff-live:2011"><Period id="1">
<AdaptationSet mimeType="video/mp4">${protection}${template}
<Representation id="v1" bandwidth="800000" codecs="avc1.4d401e" width="640" height="360"/>
<Representation id="v2" bandwidth="2400000" codecs="avc1.4d401f" width="1280" height="720"/></AdaptationSet>
<AdaptationSet mimeType="audio/mp4" lang="en">${protection}${template}<Representation id="a1" bandwidth="128000" codecs="mp4a.40.2"/></AdaptationSet>
</Period></MPD>
`;
}

function segment(index: number, { encryption, mediaSequence }: PackagingOptions): Uint8Array {
  const clear = Buffer.concat([box("moof", 200), box("mdat", 1000 + index)]);
  if (encryption === undefined) return clear;
  const sequence = Buffer.alloc(16);
  sequence.writeUInt32BE((mediaSequence ?? 0) + index, 12);
  const cipher = createCipheriv("aes-128-cbc", encryption.key, encryption.iv ?? sequence);
  return Buffer.concat([cipher.update(clear), cipher.final()]);
}

/** A 16-byte key for tests, told apart by its label. */
export function testKey(label: string): Uint8Array {
  return createHash("sha256").update(label).digest().subarray(0, 16);
}

export function text(content: string): Uint8Array {
  return Buffer.from(content, "utf8");
}

export interface Served {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Answers a GET for one of the files, by range where one is asked for. */
export function serveFile(files: ReadonlyMap<string, Uint8Array>, path: string, range: string | undefined): Served {
  const file = files.get(path);
  if (file === undefined) return { status: 404, headers: { "content-type": "text/plain" }, body: text("not found") };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === undefined) return { status: 200, headers: {}, body: file };
  const start = Number(first);
  if (start >= file.length) return { status: 416, headers: { "content-range": `bytes */${file.length}` }, body: text("") };
  const end = Math.min(last === undefined || last === "" ? file.length - 1 : Number(last), file.length - 1);
  return {
    status: 206,
    headers: { "content-range": `bytes ${start}-${end}/${file.length}` },
    body: file.subarray(start, end + 1),
  };
}
