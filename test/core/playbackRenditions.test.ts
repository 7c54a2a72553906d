import { describe, expect, it } from "vitest";
import { walkRenditions, type RenditionsPlayback } from "../../src/core/playback.ts";
import { text } from "../fakes/packagedVideo.ts";
import { encryption, ORIGIN, stage, type Stage } from "../fakes/playbackStage.ts";

async function walk(video: Stage, manifest = "master.m3u8"): Promise<RenditionsPlayback> {
  const contentKey = async () => encryption.key;
  return walkRenditions({ http: video.http, manifestUrl: `${ORIGIN}/v/${manifest}`, timeoutMs: 1000, contentKey });
}

function segments({ http }: Stage): readonly string[] {
  return http.paths.filter((path) => path.endsWith(".m4s")).map((path) => path.replace("/v/", ""));
}

describe("a walk through all renditions", () => {
  it.each(["master.m3u8", "manifest.mpd"])("plays start, middle and end of each of %s", async (manifest) => {
    const video = stage();
    expect(await walk(video, manifest)).toMatchObject({
      renditions: 3,
      segments: 9,
      segment: { evidence: "3 renditions, 9 segments: media" },
    });
    expect(segments(video)).toEqual(["v1", "v2", "a1"].flatMap((track) => [0, 1, 3].map((at) => `${track}/${at}.m4s`)));
  });

  it.each(["v2/3.m4s", "a1/1.m4s", "v1/0.m4s", "v2/init.mp4", "a1.m3u8"])("finds that %s is missing", async (path) => {
    const video = stage();
    video.files.delete(`/v/${path}`);
    await expect(walk(video)).rejects.toMatchObject({ reason: "segment" });
  });

  it("finds a segment that is not media, where the first variant is well", async () => {
    const video = stage();
    video.files.set("/v/a1/3.m4s", text("<html>an error</html>"));
    await expect(video.walk()).resolves.toMatchObject({ protocol: "hls" });
    await expect(walk(video)).rejects.toMatchObject({ reason: "segment" });
  });

  it("asks a live video for its newest segments only", async () => {
    const video = stage({ live: true });
    expect(await walk(video)).toMatchObject({ renditions: 3, segments: 3 });
    expect(segments(video)).toEqual(["v1/3.m4s", "v2/3.m4s", "a1/3.m4s"]);
  });

  it("decrypts every segment that it plays", async () => {
    const video = stage({ encryption });
    expect((await walk(video)).segment.evidence).toBe("3 renditions, 9 segments: decrypted");
  });
});
