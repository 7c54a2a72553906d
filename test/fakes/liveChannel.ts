/** A live channel as an origin serves it, in HLS and DASH, from the time that a clock shows: two tracks, 2 s segments, clear or AES-128. */
import { createCipheriv } from "node:crypto";
import type { Clock } from "../../src/core/clock.ts";
import { box, serveFile, text, type Encryption, type Served } from "./packagedVideo.ts";

export const TARGET_MS = 2_000;
/** The number of the segment that is being made when the clock's monotonic time is 0. */
const FIRST = 1_000;
const TRACKS = ["v1", "a1"] as const;

const MASTER = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="a1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="aac"
v1.m3u8
`;

export class LiveChannel {
  /** Paths are below this, which ends with `/`. */
  readonly base: string;
  /** Monotonic time at which everything listed stands still; null: it goes on. */
  frozenAt: number | null = null;
  /** Tracks that stand still then; the manifest of DASH has all of them. */
  frozenTracks: readonly string[] = TRACKS;
  /** Added to every sequence number. */
  offset = 0;
  /** Segments in the window. */
  count = 6;
  /** Prefix of the names of segments. */
  naming = "";
  /** Added to the declared duration of the second newest segment, in milliseconds. */
  stretchMs = 0;
  /** Added to every time of day. */
  timeMs = 0;
  /** False: no program date-time. */
  dated = true;
  /** The segment with this number begins a discontinuity; null: none. */
  discontinuityAt: number | null = null;
  ended = false;
  encryption: Encryption | null = null;
  /** DASH: how segments are addressed. */
  addressing: "timeline" | "time" | "number" | "list" = "timeline";
  readonly #clock: Clock;
  readonly #epoch: number;

  constructor(base: string, clock: Clock) {
    this.base = base;
    this.#clock = clock;
    this.#epoch = clock.now() - clock.monotonic();
  }

  /** Null for a path that is not the channel's. */
  serve(path: string, range: string | undefined): Served | null {
    if (!path.startsWith(this.base)) return null;
    const name = path.slice(this.base.length);
    const track = TRACKS.find((each) => name === `${each}.m3u8`);
    const content = name === "master.m3u8" ? text(MASTER) : name === "manifest.mpd" ? text(this.#mpd()) : this.#media(track, name);
    return content === null ? null : serveFile(new Map([[path, content]]), path, range);
  }

  #media(track: string | undefined, name: string): Uint8Array | null {
    if (track !== undefined) return text(this.#playlist(track));
    if (/^[va]1\/init\.mp4$/.test(name)) return box("ftyp", 120);
    const number = /^(?:.*\/)?[va]1\/(\d+)\.m4s$/.exec(name)?.[1];
    return number === undefined ? null : this.#segment(Number(number));
  }

  #newest(track: string): number {
    const frozen = this.frozenAt !== null && this.frozenTracks.includes(track);
    const at = frozen ? (this.frozenAt ?? 0) : this.#clock.monotonic();
    return FIRST + Math.floor(at / TARGET_MS) - 1 + this.offset;
  }

  #playlist(track: string): string {
    const newest = this.#newest(track);
    const first = newest - this.count + 1;
    const lines = ["#EXTM3U", "#EXT-X-VERSION:6", `#EXT-X-TARGETDURATION:${TARGET_MS / 1000}`, `#EXT-X-MEDIA-SEQUENCE:${first}`];
    lines.push(`#EXT-X-MAP:URI="${track}/init.mp4"`);
    const iv = this.encryption?.iv === undefined ? "" : `,IV=0x${hex(this.encryption.iv)}`;
    if (this.encryption !== null) lines.push(`#EXT-X-KEY:METHOD=AES-128,URI="${this.encryption.keyUri}"${iv}`);
    if (this.dated) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${this.#timeOfDay(first)}`);
    for (let number = first; number <= newest; number += 1) {
      if (number === this.discontinuityAt) lines.push("#EXT-X-DISCONTINUITY");
      const stretch = number === newest - 1 ? this.stretchMs : 0;
      lines.push(`#EXTINF:${(TARGET_MS + stretch) / 1000},`, `${this.naming}${track}/${number}.m4s`);
    }
    if (this.ended) lines.push("#EXT-X-ENDLIST");
    return `${lines.join("\n")}\n`;
  }

  #timeOfDay(number: number): string {
    return new Date(this.#epoch + (number - FIRST) * TARGET_MS + this.timeMs).toISOString();
  }

  #mpd(): string {
    const newest = this.#newest("v1");
    const first = newest - this.count + 1;
    const start = this.#timeOfDay(0);
    const live = `type="dynamic" availabilityStartTime="${start}" publishTime="${this.#timeOfDay(newest)}" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT${(this.count * TARGET_MS) / 1000}S"`;
    const timing = this.ended ? `type="static" mediaPresentationDuration="PT${(newest + 1) * 2}S"` : live;
    const set = (track: string, mime: string): string =>
      `<AdaptationSet mimeType="${mime}" lang="en">${this.#protection()}${this.#addressing(track, first, newest)}<Representation id="${track}" bandwidth="800000" codecs="avc1.4d401e"/></AdaptationSet>`;
    return `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ${timing}><Period id="1" start="PT0S">${set("v1", "video/mp4")}${set("a1", "audio/mp4")}</Period></MPD>`;
  }

  #protection(): string {
    if (this.encryption?.iv === undefined) return "";
    return `<ContentProtection schemeIdUri="urn:mpeg:dash:sea:2012" xmlns:sea="urn:mpeg:dash:schema:sea:2012"><sea:SegmentEncryption schemeIdUri="urn:mpeg:dash:sea:aes128-cbc:2013"/><sea:CryptoPeriod IV="0x${hex(this.encryption.iv)}" keyUriTemplate="${this.encryption.keyUri}"/></ContentProtection>`;
  }

  #addressing(track: string, first: number, newest: number): string {
    const init = `initialization="${track}/init.mp4"`;
    const media = (name: string): string => `media="${this.naming}${track}/${name}.m4s"`;
    const timeline = `<SegmentTimeline><S t="${first}" d="1" r="${newest - first}"/></SegmentTimeline>`;
    const numbers = Array.from({ length: newest - first + 1 }, (_, index) => first + index);
    switch (this.addressing) {
      case "timeline":
        return `<SegmentTemplate timescale="1" startNumber="${first}" ${init} ${media("$Number$")}>${timeline.replace(`t="${first}" d="1"`, `t="${first * 2}" d="2"`)}</SegmentTemplate>`;
      case "time":
        return `<SegmentTemplate timescale="2" ${init} ${media("$Time$")}>${timeline.replaceAll(/(t|d)="(\d+)"/g, (_, name, value) => `${String(name)}="${Number(value) * 4}"`)}</SegmentTemplate>`;
      case "number":
        return `<SegmentTemplate timescale="1" duration="2" startNumber="0" ${init} ${media("$Number$")}/>`;
      case "list":
        return `<SegmentList timescale="1" duration="2" startNumber="${first}"><Initialization sourceURL="${track}/init.mp4"/>${numbers.map((number) => `<SegmentURL ${media(String(number))}/>`).join("")}</SegmentList>`;
    }
  }

  #segment(number: number): Uint8Array {
    const clear = Buffer.concat([box("moof", 200), box("mdat", 1000)]);
    if (this.encryption === null) return clear;
    const sequence = Buffer.alloc(16);
    sequence.writeUInt32BE(number, 12);
    const cipher = createCipheriv("aes-128-cbc", this.encryption.key, this.encryption.iv ?? sequence);
    return Buffer.concat([cipher.update(clear), cipher.final()]);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
