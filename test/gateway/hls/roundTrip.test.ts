/** Properties of both rewritings over playlists made at random; seeded, so that a failure comes again. */
import fc from "fast-check";
import { Parser } from "m3u8-parser";
import { describe, expect, it } from "vitest";
import { anchorHls } from "../../../src/gateway/hls/anchor.ts";
import { parseAttributes } from "../../../src/gateway/hls/attributes.ts";
import { playlistKind } from "../../../src/gateway/hls/playlistKind.ts";
import { steerHls } from "../../../src/gateway/hls/steer.ts";
import { ANCHOR, APPLE, GATEWAY, lines, LOW_LATENCY, STEER, textOf } from "./playlists.ts";

const RUNS = { seed: 20_261, numRuns: 300 };
const WITH_WAY_OUT = { ...STEER, anchor: `${GATEWAY}/vod/film/master.m3u8` };

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
const value = fc.oneof(
  word.map((text) => `"${text}, ${text}=1"`),
  fc.integer({ min: 0, max: 99 }).map(String),
  fc.constantFrom("0xabCDef", "1280x720", "YES", '""'),
);
const unknownAttribute = fc.tuple(word, value).map(([name, text]) => `X-${name.toUpperCase()}=${text}`);
const unknownAttributes = fc.array(unknownAttribute, { maxLength: 3 });
const unknownLine = fc.oneof(
  fc.tuple(word, value).map(([name, text]) => `#EXT-X-${name.toUpperCase()}-VENDOR:${text}`),
  word.map((text) => `# ${text}`),
  fc.constant(""),
);
const uri = fc.oneof(
  word.map((name) => `${name}/p.m3u8`),
  word.map((name) => `/vod/film/${name}.m3u8?sig=${name},x`),
  word.map((name) => `https://we.example/vod/${name}(a=1,b).m3u8`),
  word.map((name) => `../${name}.m3u8`),
);

const list = (...attributes: readonly string[]): string => attributes.join(",");
const audio = fc.record({ group: word, uri: fc.option(uri), extra: unknownAttributes }).map(({ group, uri: address, extra }) => {
  const place = address === null ? [] : [`URI="${address}"`];
  return [`#EXT-X-MEDIA:${list("TYPE=AUDIO", `GROUP-ID="${group}"`, ...extra, 'NAME="a, b"', ...place)}`];
});
const iframes = fc
  .tuple(uri, unknownAttributes)
  .map(([address, extra]) => [`#EXT-X-I-FRAME-STREAM-INF:${list(...extra, `URI="${address}"`)}`]);
const variant = fc
  .record({ address: uri, extra: unknownAttributes, group: word, between: fc.array(unknownLine, { maxLength: 2 }) })
  .map(({ address, extra, group, between }) => [`#EXT-X-STREAM-INF:${list(`AUDIO="${group}"`, ...extra)}`, ...between, address]);
const block = fc.oneof(
  { weight: 3, arbitrary: variant },
  audio,
  iframes,
  unknownLine.map((line) => [line]),
);

/** Each variant has a bandwidth of its own: redundant streams are refused. */
const playlist = fc
  .record({
    head: fc.array(unknownLine, { maxLength: 3 }),
    blocks: fc.array(block, { minLength: 1, maxLength: 12 }),
    crlf: fc.boolean(),
    open: fc.boolean(),
  })
  .map(({ head, blocks, crlf, open }) => {
    const body = [...blocks, ["#EXT-X-STREAM-INF:", "last.m3u8"]].flatMap((entry, at) =>
      entry.map((line) => line.replace(/^(#EXT-X-(?:I-FRAME-)?STREAM-INF:)/, `$1BANDWIDTH=${at + 1},`).replace(/,$/, "")),
    );
    const text = ["#EXTM3U", ...head, ...body].join(crlf ? "\r\n" : "\n");
    return open ? text : text + (crlf ? "\r\n" : "\n");
  });

/** What stands in a line besides what `steerHls` is there to change. */
const OURS = new Set(["URI", "PATHWAY-ID", "STABLE-VARIANT-ID", "STABLE-RENDITION-ID", "GROUP-ID", "AUDIO", "VIDEO", "SUBTITLES"]);
function kept(line: string): string {
  const attributes = parseAttributes(line) ?? [];
  return [
    line.slice(0, line.indexOf(":") + 1),
    ...attributes.filter(({ name }) => !OURS.has(name)).map(({ name, value: text }) => `${name}=${text}`),
  ].join();
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/);
}

/** URIs of the variants, as video.js reads them. */
function variantsOf(text: string): readonly string[] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return (parser.manifest.playlists ?? []).map(({ uri: address }) => address ?? "");
}

const ENTRY = /^#EXT-X-(?:STREAM-INF|MEDIA|I-FRAME-STREAM-INF):/;
const entriesOf = (text: string): readonly string[] => linesOf(text).filter((line) => ENTRY.test(line));
const unknownOf = (text: string): readonly string[] => linesOf(text).filter((line) => /^#.*-VENDOR:|^# /.test(line));

describe("steerHls over any playlist", () => {
  it("keeps every attribute of every entry in each pathway, and every unknown line", () => {
    fc.assert(
      fc.property(playlist, (source) => {
        const text = textOf(steerHls(source, WITH_WAY_OUT));
        const expected = entriesOf(source).map(kept);
        for (const id of ["west", "north", "gateway"]) {
          const own = entriesOf(text).filter((line) => line.includes(`PATHWAY-ID="${id}"`));
          expect(own.map(kept)).toEqual(expected);
        }
        for (const line of unknownOf(source)) expect(unknownOf(text)).toContain(line);
      }),
      RUNS,
    );
  });

  it("is idempotent", () => {
    fc.assert(
      fc.property(
        playlist,
        fc.constantFrom(STEER, WITH_WAY_OUT, { ...STEER, pathways: STEER.pathways.toReversed() }),
        (source, options) => {
          const once = textOf(steerHls(source, options));
          expect(textOf(steerHls(once, options))).toBe(once);
        },
      ),
      RUNS,
    );
  });

  it("writes ladders that differ in nothing but the region", () => {
    fc.assert(
      fc.property(playlist, (source) => {
        const text = textOf(steerHls(source, STEER));
        const blocks = (id: string, base: string) =>
          linesOf(text)
            .filter((line) => (ENTRY.test(line) && line.includes(`PATHWAY-ID="${id}"`)) || line.startsWith(`${base}/`))
            .map((line) => line.replaceAll(`"${id}"`, '"*"').replaceAll(`@${id}"`, '@*"').replaceAll(`${base}/`, "*/"));
        expect(blocks("north", "https://ne.example/origin")).toEqual(blocks("west", "https://we.example"));
      }),
      RUNS,
    );
  });

  it("leaves every URI where a player would have found it", () => {
    fc.assert(
      fc.property(playlist, (source) => {
        const expected = variantsOf(source).map((address) => new URL(address, STEER.pathways[0]?.url).href);
        expect(variantsOf(textOf(steerHls(source, STEER))).slice(0, expected.length)).toEqual(expected);
      }),
      RUNS,
    );
  });
});

describe("anchorHls over any playlist", () => {
  it("changes only the lines that hold a URI, and nothing the second time", () => {
    const options = { ...ANCHOR, url: "https://we.example/vod/film/master.m3u8", base: "https://we.example" };
    fc.assert(
      fc.property(playlist, (source) => {
        const text = textOf(anchorHls(source, options));
        expect(text).toBe(source.replaceAll("https://we.example/", "https://gw.example/"));
        expect(textOf(anchorHls(text, options))).toBe(text);
      }),
      RUNS,
    );
  });
});

describe("any text", () => {
  const fragments = [
    ...APPLE.split(/(?<=[:,="\n])/),
    ...LOW_LATENCY.split(/(?<=[:,="\n])/),
    "\r\n",
    "\uFEFF",
    "{$",
    "{$a}",
    '"',
    "//",
    "\\",
    "%",
    "\0",
  ];
  const mixture = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fragments) }, fc.string({ unit: "binary" })), {
    maxLength: 60,
  });
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    mixture.map((parts) => parts.join("")),
    mixture.map((parts) => `#EXTM3U\n${parts.join("")}`),
    mixture.map((parts) => lines("#EXTM3U", parts.join(""), "#EXT-X-STREAM-INF:BANDWIDTH=1", "v.m3u8")),
  );

  it("is rewritten or refused, never an error", () => {
    let rewritten = 0;
    fc.assert(
      fc.property(text, (source) => {
        playlistKind(source);
        for (const result of [steerHls(source, WITH_WAY_OUT), anchorHls(source, ANCHOR)]) {
          if (result.ok) rewritten += 1;
          else expect(result.detail).not.toBe("");
        }
      }),
      { ...RUNS, numRuns: 2_000 },
    );
    expect(rewritten).toBeGreaterThan(200);
  });

  it("is steered once for all where it is steered", () => {
    fc.assert(
      fc.property(text, (source) => {
        const once = steerHls(source, STEER);
        if (once.ok) expect(textOf(steerHls(once.text, STEER))).toBe(once.text);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });
});
