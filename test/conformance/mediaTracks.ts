/** What every `MediaAccount` does with the tracks of assets. */
import { expect, it } from "vitest";
import type { AssetSpec, MediaTrack } from "../../src/core/media.ts";
import type { MediaAccount } from "../../src/core/ports/media.ts";
import { expectCode, sortedByName } from "./expectations.ts";

export const TEXT_TRACK: MediaTrack = {
  name: "subtitles",
  properties: {
    odataType: "#Microsoft.Media.TextTrack",
    fileName: "subtitles.ttml",
    displayName: "Deutsch für Gehörlose",
    playerVisibility: "Visible",
    hlsSettings: { default: true, forced: false, characteristics: "public.accessibility.transcribes-spoken-dialog" },
  },
};

const AUDIO_TRACK: MediaTrack = {
  name: "commentary",
  properties: {
    odataType: "#Microsoft.Media.AudioTrack",
    fileName: "commentary.mp4",
    displayName: "Commentary",
    languageCode: "en-GB",
    dashSettings: { role: "commentary" },
    mpeg4TrackId: 2,
  },
};

/** `asset` names an asset whose container no other test has; `lacks` says what the service does not have. */
export function tracks(account: () => MediaAccount, asset: (name: string) => AssetSpec, lacks: (what: "tracks") => boolean): void {
  const prepare = async (): Promise<void> => {
    const video = await account().createAsset(asset("video-1"));
    const options = { contentType: "application/octet-stream", condition: "absent" } as const;
    for (const name of ["movie.ism", "subtitles.ttml", "commentary.mp4"])
      await account().container(video, "write").write(name, new TextEncoder().encode(name), options);
  };

  it("putTrack creates, then replaces, a text and an audio track", async ({ skip }) => {
    if (lacks("tracks")) return skip("the service knows no tracks");
    await prepare();
    expect(await Array.fromAsync(account().tracks("video-1"))).toEqual([]);
    for (const track of [TEXT_TRACK, AUDIO_TRACK]) await account().putTrack("video-1", track);
    expect(sortedByName(await Array.fromAsync(account().tracks("video-1")))).toEqual([AUDIO_TRACK, TEXT_TRACK]);
    const renamed = { ...TEXT_TRACK, properties: { ...TEXT_TRACK.properties, displayName: "English", playerVisibility: "Hidden" } };
    await account().putTrack("video-1", renamed);
    expect(sortedByName(await Array.fromAsync(account().tracks("video-1")))).toEqual([AUDIO_TRACK, renamed]);
  });

  it("a track whose file is not there is account_rejected", async ({ skip }) => {
    if (lacks("tracks")) return skip("the service knows no tracks");
    await prepare();
    const lost = { ...TEXT_TRACK, properties: { ...TEXT_TRACK.properties, fileName: "nowhere.ttml" } };
    await expectCode(account().putTrack("video-1", lost), "account_rejected");
    expect(await Array.fromAsync(account().tracks("video-1"))).toEqual([]);
  });

  it("an asset that is not there has no tracks", async () => {
    expect(await Array.fromAsync(account().tracks("nobody"))).toEqual([]);
  });
}
