/** What a running gateway shows: of its videos on the admin port, of its decisions to players. */
import { request } from "undici";
import { expect } from "vitest";
import { eventually } from "./wait.ts";

interface Status {
  readonly videos: readonly { readonly locatorId: string; readonly regions: Readonly<Record<string, { readonly state: string }>> }[];
}

/** In which state it has a video, by region. */
async function videoStates(admin: string, locatorId: string): Promise<Readonly<Record<string, string>>> {
  const answer = await request(`${admin}/api/status`, { reset: true });
  const { videos } = (await answer.body.json()) as Status;
  const regions = Object.entries(videos.find((video) => video.locatorId === locatorId)?.regions ?? {});
  return Object.fromEntries(regions.map(([name, { state }]) => [name, state]));
}

/** Resolves when it serves a video from all of these regions. */
export async function verifiedIn(admin: string, locatorId: string, regions: readonly string[], ms: number): Promise<void> {
  await eventually(ms, `${locatorId} to be verified in ${regions.join(" and ")}`, async () => {
    const states = await videoStates(admin, locatorId);
    return regions.every((region) => states[region] === "verified") ? true : null;
  });
}

/** Resolves when players who ask for this path are sent to this base URL; anything but a redirect fails. */
export async function sentTo(gateway: string, base: string, path: string, ms: number): Promise<void> {
  await eventually(ms, `${path} to be sent to ${base}`, async () => {
    const { statusCode, headers, body } = await request(`${gateway}${path}`, { reset: true });
    await body.dump();
    expect(statusCode).toBe(302);
    return headers["location"] === `${base}${path}` ? true : null;
  });
}
