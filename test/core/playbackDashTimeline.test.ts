import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted, type Inherited, type SegmentInfo, type TimelineEntry } from "../../src/core/playback/dashTimeline.ts";
import { parseManifest } from "../../src/core/playback/manifest.ts";

const MPD_URL = "https://we.example/v/manifest.mpd";
/** 1000 s after the stream began. */
const NOW = Date.parse("2026-01-01T00:16:40Z");
const BEGAN = 'type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT2S"';

interface Parts {
  readonly mpd?: string;
  readonly period?: string;
  readonly template?: string;
  readonly timeline: string;
}

function mpd({ mpd: root = BEGAN, period = 'start="PT0S"', template = "", timeline }: Parts): string {
  return `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ${root}><Period ${period}><AdaptationSet mimeType="video/mp4">
<SegmentTemplate timescale="10" media="$Time$.m4s" ${template}><SegmentTimeline>${timeline}</SegmentTimeline></SegmentTemplate>
<Representation id="v1" bandwidth="1"/></AdaptationSet></Period></MPD>`;
}

/** Names of the segments. */
function segments(parts: Parts): string[] {
  const manifest = parseManifest(mpd(parts), MPD_URL, NOW);
  return (manifest?.tracks[0]?.media?.segments ?? []).map(({ url }) => url.slice("https://we.example/v/".length));
}

describe("an entry that repeats until further notice", () => {
  it("goes on to the newest segment that has ended", () => {
    // 9950 + 20 k; the last that ends by 10000 begins at 9970.
    expect(segments({ timeline: '<S t="9950" d="20" r="-1"/>' })).toEqual(["9950.m4s", "9970.m4s"]);
    expect(segments({ timeline: '<S t="9900" d="20" r="1"/><S d="15" r="-1"/>' })).toEqual([
      "9900.m4s",
      "9920.m4s",
      "9940.m4s",
      "9955.m4s",
      "9970.m4s",
      "9985.m4s",
    ]);
  });

  it("is counted on the timeline of the media, which may begin anywhere, and of its own period", () => {
    expect(segments({ template: 'presentationTimeOffset="500000"', timeline: '<S t="509960" d="20" r="-1"/>' })).toEqual([
      "509960.m4s",
      "509980.m4s",
    ]);
    expect(segments({ period: 'start="PT900S"', timeline: '<S t="960" d="20" r="-1"/>' })).toEqual(["960.m4s", "980.m4s"]);
  });

  it("ends with its period", () => {
    expect(segments({ period: 'start="PT0S" duration="PT10S"', timeline: '<S t="40" d="20" r="-1"/>' })).toEqual([
      "40.m4s",
      "60.m4s",
      "80.m4s",
    ]);
    const root = 'type="static" mediaPresentationDuration="PT9.5S"';
    expect(segments({ mpd: root, timeline: '<S t="0" d="40" r="-1"/>' })).toEqual(["0.m4s", "40.m4s", "80.m4s"]);
    expect(segments({ mpd: root, template: 'presentationTimeOffset="1000"', timeline: '<S t="1000" d="40" r="-1"/>' })).toHaveLength(3);
  });

  it("ends where the next one begins", () => {
    expect(segments({ timeline: '<S t="9900" d="20" r="-1"/><S t="9960" d="40"/>' })).toEqual([
      "9900.m4s",
      "9920.m4s",
      "9940.m4s",
      "9960.m4s",
    ]);
    expect(segments({ timeline: '<S t="9900" d="20" r="-1"/><S d="40"/>' })).toEqual(["9900.m4s", "9920.m4s"]);
  });

  it("keeps the numbers of segments by number", () => {
    const template = 'startNumber="7"';
    const numbered = mpd({ template, timeline: '<S t="9900" d="20" r="-1"/>' }).replace("$Time$", "$Number%05d$");
    const listed = parseManifest(numbered, MPD_URL, NOW)?.tracks[0]?.media?.segments.map(({ url, at }) => `${url.slice(-9)} ${at}`);
    expect(listed).toEqual(["00007.m4s 990000", "00008.m4s 992000", "00009.m4s 994000", "00010.m4s 996000", "00011.m4s 998000"]);
  });

  it("has no segment before the first one has ended, and the first where nothing says how long it goes on", () => {
    expect(segments({ timeline: '<S t="9990" d="20" r="-1"/>' })).toEqual([]);
    expect(segments({ mpd: 'type="static"', timeline: '<S t="0" d="20" r="-1"/>' })).toEqual(["0.m4s"]);
    expect(segments({ mpd: 'type="dynamic"', timeline: '<S t="0" d="20" r="-1"/>' })).toEqual([]);
  });

  it("of a stream that has gone on for months are the newest, with their numbers", () => {
    const template = 'startNumber="1"';
    const root = BEGAN.replace("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
    const listed = parseManifest(
      mpd({ mpd: root, template, timeline: '<S t="0" d="20" r="-1"/>' }).replace("$Time$", "$Number$-$Time$"),
      MPD_URL,
      NOW,
    );
    const media = listed?.tracks[0]?.media;
    const total = (365 * 86_400 + 1000) / 2;
    expect(media?.segments).toHaveLength(4_000);
    expect(media?.segments.at(-1)?.url).toBe(`https://we.example/v/${total}-${(total - 1) * 20}.m4s`);
    expect(media?.segments[0]?.url).toBe(`https://we.example/v/${total - 3_999}-${(total - 4_000) * 20}.m4s`);
    expect(media?.listed).toBe(false);
  });
});

describe("more than can be meant", () => {
  const byDuration = (attributes: string, root = BEGAN) =>
    `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ${root}><Period start="PT0S"><AdaptationSet mimeType="video/mp4">
<SegmentTemplate media="$Number$.m4s" ${attributes}/><Representation id="v1" bandwidth="1"/></AdaptationSet></Period></MPD>`;

  it("is no manifest", () => {
    for (const text of [
      mpd({ timeline: '<S t="0" d="1" r="999999999"/>' }),
      mpd({ timeline: '<S t="0" d="1"/>', template: 'startNumber="99999999999999999999"' }),
      byDuration('duration="1" timescale="1000000000"', 'type="static" mediaPresentationDuration="PT1H"'),
      byDuration('duration="1" timescale="100000000000000"', BEGAN.replace("2026", "1970")),
      byDuration('duration="1" endNumber="999999999"'),
      mpd({ timeline: '<S t="0" d="20" r="-1"/>' }).replace('timescale="10"', 'timescale="9007199254740993"'),
    ])
      expect(parseManifest(text, MPD_URL, NOW)).toBeNull();
  });

  it("a template that began in 1970 and names no time-shift buffer has its newest segments", () => {
    const text = byDuration('duration="2"', BEGAN.replace("2026", "1970"));
    const segments = parseManifest(text, MPD_URL, NOW)?.tracks[0]?.media?.segments ?? [];
    expect(segments.length).toBeLessThanOrEqual(4_001);
    expect(segments.at(-1)?.url).toBe(`https://we.example/v/${Math.floor(NOW / 2000)}.m4s`);
  });
});

describe("whatever the timeline", () => {
  const entry = fc.record({
    t: fc.option(fc.nat(5_000), { nil: undefined }),
    d: fc.integer({ min: 1, max: 50 }),
    r: fc.integer({ min: -1, max: 5 }),
  });
  const timelines = fc
    .array(entry, { minLength: 1, maxLength: 8 })
    .map((drawn) => drawn.map(({ t, ...rest }): TimelineEntry => (t === undefined ? rest : { t, ...rest })));
  const attributes: Inherited = { type: "dynamic", NOW, availabilityStartTime: NOW / 1000 - 1000, periodStart: 0 };
  const settled = (timeline: readonly TimelineEntry[]): SegmentInfo => {
    const [only] = counted([{ attributes, segmentInfo: { template: { timescale: 10 }, segmentTimeline: timeline } }]);
    return only?.segmentInfo ?? {};
  };

  it("every entry has a count, which it keeps where it had one", () => {
    fc.assert(
      fc.property(timelines, (timeline) => {
        const after = settled(timeline).segmentTimeline ?? [];
        expect(after.every(({ r = 0 }) => r >= 0)).toBe(true);
        if (timeline.every(({ r = 0 }) => r >= 0)) expect(after).toEqual(timeline);
      }),
    );
  });

  it("an open end lies behind nothing that has not ended yet", () => {
    fc.assert(
      fc.property(timelines, (timeline) => {
        const { t = 0, d = 0, r = 0 } = settled([...timeline, { t: 9_000, d: 7, r: -1 }]).segmentTimeline?.at(-1) ?? {};
        expect(t + (r + 1) * d).toBeLessThanOrEqual(10_000);
        expect(t + (r + 2) * d).toBeGreaterThan(10_000);
      }),
    );
  });

  it("no more than the newest segments stay, and numbers with them", () => {
    fc.assert(
      fc.property(timelines, (timeline) => {
        const { segmentTimeline = [], template } = settled([...timeline, { d: 1, r: -1 }]);
        const kept = segmentTimeline.reduce((sum, { r = 0 }) => sum + r + 1, 0);
        expect(kept).toBeLessThanOrEqual(4_000);
        if ((template?.startNumber ?? 1) > 1) expect(kept).toBe(4_000);
      }),
    );
  });
});
