import { describe, expect, it } from "vitest";
import { misalignments, type DescribedVideo } from "../../src/core/playback/alignment.ts";
import { describeVideo } from "../../src/core/playback/describe.ts";
import { ManualClock } from "../fakes/clock.ts";
import { FileHttpClient } from "../fakes/fileHttpClient.ts";
import { LiveChannel } from "../fakes/liveChannel.ts";
import { packageVideo, testKey, text, type Files, type PackagingOptions } from "../fakes/packagedVideo.ts";

const key = testKey("key");

async function described(files: Files, name: string, origin = "https://we.example"): Promise<DescribedVideo> {
  return describeVideo({ http: new FileHttpClient(origin, files), manifestUrl: `${origin}/v/${name}`, timeoutMs: 1_000 });
}

function edited(name: string, from: string | RegExp, to: string, options: PackagingOptions = {}): Files {
  const files = packageVideo("/v/", options);
  const before = Buffer.from(files.get(`/v/${name}`) ?? text("")).toString("utf8");
  expect(before).toMatch(from);
  return files.set(`/v/${name}`, text(before.replace(from, to)));
}

async function difference(files: Files, name: string, options: PackagingOptions = {}): Promise<string> {
  const one = await described(packageVideo("/v/", options), name);
  return misalignments(one, await described(files, name, "https://ne.example")).join("; ");
}

describe("two copies of a video", () => {
  it.each(["master.m3u8", "manifest.mpd"])("are aligned where they are the same at another host: %s", async (name) => {
    expect(await difference(packageVideo("/v/"), name)).toBe("");
    const one = { encryption: { key, keyUri: "https://k-we.example/?kid=1" } };
    const other = { encryption: { key, keyUri: "https://k-ne.example/?kid=1" } };
    expect(await difference(packageVideo("/v/", other), name, one)).toBe("");
  });

  it.each([
    ["master.m3u8", "v2.m3u8", /\/0.m4s/, "/00.m4s", "video 2400 kbit/s: segment 1: named v2/0.m4s and v2/00.m4s"],
    ["master.m3u8", "a1.m3u8", "EXTINF:4.0", "EXTINF:3.9", "audio English: segment 1: lasts 4000 and 3900 ms"],
    ["master.m3u8", "v1.m3u8", "#EXTINF:4.0,\nv1/3.m4s\n", "", "video 800 kbit/s: 4 and 3 segments"],
    [
      "master.m3u8",
      "v1.m3u8",
      "#EXTINF:4.0,\nv1/2",
      "#EXT-X-DISCONTINUITY\n#EXTINF:4.0,\nv1/2",
      "video 800 kbit/s: segment 3: a discontinuity in one region only",
    ],
    ["master.m3u8", "v1.m3u8", "SEQUENCE:0", "SEQUENCE:5", "video 800 kbit/s: segment 1: begins at 0 and 5"],
    ["master.m3u8", "v1.m3u8", "#EXT-X-ENDLIST", "", "video 800 kbit/s: live in one region only"],
    [
      "master.m3u8",
      "master.m3u8",
      'avc1.4d401e,mp4a.40.2"',
      'hvc1,mp4a.40.2"',
      "video 800 kbit/s: codecs avc1.4d401e,mp4a.40.2 and hvc1,mp4a.40.2",
    ],
    ["manifest.mpd", "manifest.mpd", 'd="4"', 'd="5"', /lasts 4000 and 5000 ms/],
    ["manifest.mpd", "manifest.mpd", "<Period ", '<Period start="PT1S" ', /begins at 0 and 1000/],
  ])("differ in %s by %s: %s", async (name, file, from, to, reason) => {
    expect(await difference(edited(file, from, to), name)).toMatch(reason);
  });

  it("differ by their keys and by their variants", async () => {
    const one = { encryption: { key, keyUri: "https://k.example/?kid=1" } };
    const other = { encryption: { key, keyUri: "https://k.example/?kid=2" } };
    expect(await difference(packageVideo("/v/", other), "master.m3u8", one)).toContain("keys: 1 and 2");
    expect(await difference(packageVideo("/v/"), "master.m3u8", one)).toContain("keys: 1 and none");
    const fewer = edited("master.m3u8", /#EXT-X-STREAM-INF:BANDWIDTH=2400000.*\nv2.m3u8\n/, "");
    expect(await difference(fewer, "master.m3u8")).toMatch(/^tracks: /);
    const protectedBy = (id: string): Files =>
      edited(
        "manifest.mpd",
        '<AdaptationSet mimeType="video/mp4">',
        `<AdaptationSet mimeType="video/mp4"><ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" xmlns:cenc="urn:mpeg:cenc:2013" cenc:default_KID="${id}"/>`,
      );
    const id = "0A0A0A0A-0000-4000-8000-00000000000A";
    const protectedVideo = await described(protectedBy(id), "manifest.mpd");
    expect(misalignments(protectedVideo, await described(protectedBy(id.toLowerCase()), "manifest.mpd"))).toEqual([]);
    expect(misalignments(protectedVideo, await described(protectedBy(id.replace("0A", "0B")), "manifest.mpd"))).toHaveLength(1);
  });

  it("tell the first few differences", async () => {
    const one = await described(packageVideo("/v/"), "master.m3u8");
    const tracks = Array.from({ length: 9 }, (_, index) => ({ ...one.tracks[0], name: `t${index}` }) as (typeof one.tracks)[number]);
    const others = tracks.map((track) => ({ ...track, codecs: "other" }));
    expect(misalignments({ ...one, tracks }, { ...one, tracks: others })).toHaveLength(5);
  });
});

describe("two copies of a live channel", () => {
  async function channels(change: (channel: LiveChannel) => void, name = "master.m3u8"): Promise<readonly string[]> {
    const clock = new ManualClock();
    await clock.advance(500_300);
    const read = async (channel: LiveChannel): Promise<DescribedVideo> => {
      const http = new FileHttpClient("https://we.example", new Map());
      http.override = ({ url, headers }) => channel.serve(new URL(url).pathname, headers?.["range"]) ?? undefined;
      return describeVideo({ http, manifestUrl: `https://we.example/v/${name}`, timeoutMs: 1_000, clock });
    };
    const [one, other] = [new LiveChannel("/v/", clock), new LiveChannel("/v/", clock)];
    change(other);
    return misalignments(await read(one), await read(other));
  }

  it.each(["master.m3u8", "manifest.mpd"])("are aligned also where one is behind: %s", async (name) => {
    expect(await channels(() => undefined, name)).toEqual([]);
    expect(await channels((channel) => (channel.frozenAt = 496_000), name)).toEqual([]);
  });

  it("are not where they name, number or date their segments otherwise", async () => {
    expect((await channels((channel) => (channel.naming = "b/")))[0]).toContain("named");
    expect((await channels((channel) => (channel.offset = 100)))[0]).toContain("no segment in common");
    expect((await channels((channel) => (channel.timeMs = 150)))[0]).toContain("150 ms apart");
    expect(await channels((channel) => (channel.timeMs = 100))).toEqual([]);
  });
});
