/**
 * The work grows with the text and no faster, whatever the text: an origin must not be able to stop the gateway with a playlist. Counted in
 * characters that the language's own scanning functions look at, for seconds say more about the machine.
 */
import { describe, expect, it } from "vitest";
import { anchorHls } from "../../../src/gateway/hls/anchor.ts";
import { playlistKind } from "../../../src/gateway/hls/playlistKind.ts";
import { steerHls } from "../../../src/gateway/hls/steer.ts";
import { ANCHOR, STEER } from "./playlists.ts";

const SIZE = 2_000_000;

const { indexOf, slice, trim, replaceAll } = String.prototype;
const { exec } = RegExp.prototype;

/** What `work` costs: one for each call of a scanning function, and one for each character that it reads. */
function costOf(work: () => void): number {
  let cost = 0;
  const charged = <Value>(characters: number, value: Value): Value => {
    cost += 1 + characters;
    return value;
  };
  // No spies: vitest keeps every call of one, and there are millions.
  Object.assign(String.prototype, {
    indexOf(this: string, search: string, from = 0) {
      const found = indexOf.call(this, search, from);
      return charged((found < 0 ? this.length : found) - from, found);
    },
    slice(this: string, ...range: Parameters<typeof slice>) {
      const part = slice.apply(this, range);
      return charged(part.length, part);
    },
    trim(this: string) {
      return charged(this.length, trim.call(this));
    },
    replaceAll(this: string, ...change: Parameters<typeof replaceAll>) {
      return charged(this.length, replaceAll.apply(this, change));
    },
  });
  Object.assign(RegExp.prototype, {
    exec(this: RegExp, text: string) {
      const from = this.global ? this.lastIndex : 0;
      const match = exec.call(this, text);
      return charged((match === null ? text.length : match.index + match[0].length) - from, match);
    },
  });
  try {
    work();
  } finally {
    Object.assign(String.prototype, { indexOf, slice, trim, replaceAll });
    Object.assign(RegExp.prototype, { exec });
  }
  return cost;
}

const VARIANT = "#EXT-X-STREAM-INF:BANDWIDTH=";
const repeated = (text: string): string => text.repeat(Math.ceil(SIZE / text.length));
const numbered = (write: (at: number) => string, each: number): string =>
  Array.from({ length: SIZE / each }, (_, at) => write(at)).join("");

/** Built before anything is counted. */
const TEXTS: readonly (readonly [string, string])[] = [
  ["blank lines", `#EXTM3U\n${repeated("\n")}`],
  ["blank lines behind a variant", `#EXTM3U\n${VARIANT}1\n${repeated("\r\n")}`],
  ["one line", `#EXTM3U\n${VARIANT}1\n${repeated("a")}`],
  ["variants", `#EXTM3U\n${numbered((at) => `${VARIANT}${at}\nv${at}.m3u8\n`, 45)}`],
  ["variants with one path and many queries", `#EXTM3U\n${numbered((at) => `${VARIANT}${at}\nv.m3u8?${at}\n`, 45)}`],
  ["variants without a URI", `#EXTM3U\n${repeated(`${VARIANT}1\n`)}`],
  ["renditions", `#EXTM3U\n${repeated('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="c"\n')}${VARIANT}1\nv\n`],
  ["commas", `#EXTM3U\n${VARIANT}${repeated(",")}\nv\n`],
  ["equals signs", `#EXTM3U\n${VARIANT}${repeated("=")}\nv\n`],
  ["quotation marks", `#EXTM3U\n${VARIANT}${repeated('"')}\nv\n`],
  ["attributes", `#EXTM3U\n${VARIANT}${numbered((at) => `,A${at}="${at}"`, 15)}\nv\n`],
  ["openings of references", `#EXTM3U\n${VARIANT}1\n${repeated("{$")}\n`],
  ["references", `#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="b"\n${VARIANT}1\n${repeated("{$a}")}\n`],
  ["definitions", `#EXTM3U\n${numbered((at) => `#EXT-X-DEFINE:NAME="a${at}",VALUE="b"\n`, 40)}${VARIANT}1\nv\n`],
  ["dots", `#EXTM3U\n${VARIANT}1\n${repeated("../")}v\n`],
  ["segments", `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${numbered((at) => `#EXTINF:4,\n/origin/s${at}.ts\n`, 30)}`],
  ["keys", `#EXTM3U\n#EXT-X-TARGETDURATION:4\n${numbered((at) => `#EXT-X-KEY:METHOD=AES-128,URI="k${at}"\n`, 40)}`],
];

describe("texts of 2 MB", () => {
  it.each(TEXTS)("%s", (_, text) => {
    let written = 0;
    const cost = costOf(() => {
      playlistKind(text);
      for (const result of [steerHls(text, STEER), anchorHls(text, ANCHOR)]) written += result.ok ? result.text.length : 0;
    });
    // The three read the text a few times each; were one of them quadratic, that would be hundreds of thousands.
    expect(cost / text.length).toBeGreaterThan(1);
    expect(cost / text.length).toBeLessThan(60);
    expect(written / text.length).toBeLessThan(20);
  });
});
