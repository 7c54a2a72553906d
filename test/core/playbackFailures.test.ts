import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { FailureReason } from "../../src/core/contracts.ts";
import { HttpFailure } from "../../src/core/http.ts";
import { PlaybackFailure } from "../../src/core/playback/failure.ts";
import { box, text } from "../fakes/packagedVideo.ts";
import { answer, encryption, ORIGIN, stage, type Stage } from "../fakes/playbackStage.ts";

let video: Stage;

beforeEach(() => {
  video = stage();
});

describe("failures", () => {
  it("carry the code of what happened, and not the reason a second time", async () => {
    const expired = Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" });
    video.http.override = () => {
      throw new HttpFailure("tls", "GET failed", expired);
    };
    const { reason, message } = await video.failure();
    expect(reason).toBe("tls");
    expect(message).toMatch(/^manifest http\S+: CERT_HAS_EXPIRED$/);
  });

  const login = "<!doctype html><html><title>Sign in</title></html>";

  it.each([
    [404, "not_found"],
    [410, "not_found"],
    [401, "unauthorized"],
    [403, "unauthorized"],
    [503, "status"],
    [302, "status"],
    [204, "status"],
  ] as const)("manifest status %s is %s", async (status, reason) => {
    video.http.override = () => answer(status, "");
    expect(await video.failure()).toMatchObject({ reason, step: "manifest", code: `playback_${reason}` });
  });

  it.each([
    ["/v/master.m3u8", 200, login, "body", "manifest"],
    ["/v/master.m3u8", 200, "", "body", "manifest"],
    ["/v/master.m3u8", 200, "\uFEFF#EXTM3U\n", "body", "manifest"],
    ["/v/master.m3u8", 200, "#EXTM3U8\n", "body", "manifest"],
    ["/v/master.m3u8", 200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "body", "manifest"],
    ["/v/v1.m3u8", 200, login, "body", "playlist"],
    ["/v/v1.m3u8", 404, "", "segment", "playlist"],
    ["/v/v1.m3u8", 200, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n", "segment", "playlist"],
    ["/v/v1/init.mp4", 404, "", "segment", "init"],
    ["/v/v1/init.mp4", 200, login, "segment", "init"],
    ["/v/v1/0.m4s", 404, "", "segment", "segment"],
    ["/v/v1/0.m4s", 503, "", "segment", "segment"],
    ["/v/v1/0.m4s", 200, "", "segment", "segment"],
    ["/v/v1/0.m4s", 200, login, "segment", "segment"],
  ] as const)("%s with status %s and %j is %s at the %s", async (path, status, body, reason, step) => {
    video.http.override = ({ url }) => (url === ORIGIN + path ? answer(status, body) : undefined);
    expect(await video.failure()).toMatchObject({ reason, step });
  });

  it("does not take an empty answer of unknown length for a ciphertext", async () => {
    video = stage({ encryption });
    video.http.override = ({ url }) =>
      url.endsWith(".m4s") ? { status: 206, headers: { "content-range": "bytes 0-0/*" }, body: text("") } : undefined;
    expect((await video.failure()).message).toMatch(/is empty/);
  });

  it("refuses a range that was not asked for", async () => {
    video.http.override = ({ url }) =>
      url.endsWith(".m4s") ? { status: 206, headers: { "content-range": "bytes 8-100/1200" }, body: box("moof", 93) } : undefined;
    expect((await video.failure()).message).toMatch(/another range/);
  });

  it.each(["refused", "reset", "timeout", "dns", "tls", "truncated", "too_large"] as const)(
    "passes %s on with its step",
    async (reason) => {
      video.http.override = ({ url }) => {
        if (url.endsWith(".m4s")) throw new HttpFailure(reason, "planted");
        return undefined;
      };
      expect(await video.failure()).toMatchObject({ reason, step: "segment" });
    },
  );

  it("asks once more where that is wanted and the failure may be chance, and not otherwise", async () => {
    const chances: (number | FailureReason)[] = [503, "reset", "truncated"];
    for (const failing of [...chances, "refused", "timeout", "tls", 404] as const) {
      const asked = new Map<string, number>();
      video.http.override = ({ url }) => {
        asked.set(url, (asked.get(url) ?? 0) + 1);
        if (asked.get(url) !== 1) return undefined;
        if (typeof failing === "number") return answer(failing, "");
        throw new HttpFailure(failing, "planted");
      };
      const isChance = chances.includes(failing);
      expect(
        await video.walk({ retry: true }).then(
          () => true,
          () => false,
        ),
        String(failing),
      ).toBe(isChance);
      asked.clear();
      expect(
        await video.walk().then(
          () => true,
          () => false,
        ),
        String(failing),
      ).toBe(false);
    }
  });

  it("names segments that lead to an origin that is not configured", async () => {
    video.files.set("/v/v1.m3u8", text("#EXTM3U\n#EXTINF:4,\nhttp://elsewhere.example/0.ts\n#EXT-X-ENDLIST\n"));
    const error = await video.failure();
    expect(error).toMatchObject({ reason: "segment", step: "segment" });
    expect(error.message).toContain("http://elsewhere.example");
  });

  it("keeps queries out of its messages and rejects with the caller's own reason", async () => {
    video.http.override = () => answer(500, "");
    expect((await video.failure({ manifestUrl: `${ORIGIN}/v/master.m3u8?sig=secret` })).message).not.toContain("secret");
    const reason = new Error("stopped");
    await expect(video.walk({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it.each(["master.m3u8", "v1.m3u8", "manifest.mpd"])(
    "meets a damaged %s with a described failure or a playback, never another error",
    async (name) => {
      video = stage({ encryption });
      const original = Buffer.from(video.files.get(`/v/${name}`) ?? text("")).toString("utf8");
      const junk = fc.constantFrom(
        "",
        "\n",
        '"',
        ",",
        ":",
        "=",
        "0",
        "-1",
        "1e300",
        "http://[",
        "<",
        ">",
        "&",
        "0x1",
        "/",
        "\u0000",
        "NONE",
        "@",
      );
      const damage = fc.array(fc.tuple(fc.nat(original.length), fc.nat(12), junk), { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(damage, async (cuts) => {
          let damaged = original;
          for (const [at, length, insert] of cuts) damaged = damaged.slice(0, at) + insert + damaged.slice(at + length);
          video.files.set(`/v/${name}`, text(damaged));
          const manifestUrl = `${ORIGIN}/v/${name === "v1.m3u8" ? "master.m3u8" : name}`;
          const seen: unknown = await video.walk({ manifestUrl, contentKey: async () => encryption.key }).catch((error: unknown) => error);
          expect(seen instanceof PlaybackFailure || (typeof seen === "object" && seen !== null && "segment" in seen), String(seen)).toBe(
            true,
          );
        }),
        { numRuns: 300 },
      );
    },
  );
});
