import { describe, expect, it } from "vitest";
import { dashSettings, demoteOnFailure } from "../../clients/dashjs.js";

type Listener = (event: { readonly data?: { readonly BaseURL?: unknown } | null }) => void;

class FakePlayer {
  readonly listeners = new Set<Listener>();
  attempts: number | null = null;

  on(_event: "manifestLoaded", listener: Listener): void {
    this.listeners.add(listener);
  }

  off(_event: "manifestLoaded", listener: Listener): void {
    this.listeners.delete(listener);
  }

  updateSettings({ streaming }: { streaming: { retryAttempts: { MediaSegment: number; InitializationSegment: number } } }): void {
    expect(streaming.retryAttempts.InitializationSegment).toBe(streaming.retryAttempts.MediaSegment);
    this.attempts = streaming.retryAttempts.MediaSegment;
  }

  loaded(data: { readonly BaseURL?: unknown } | null): number | null {
    for (const listener of this.listeners) listener({ data });
    return this.attempts;
  }
}

describe("dash.js", () => {
  it("has its waits follow from the buffer, and a blacklist that ends", () => {
    expect(dashSettings({ bufferSeconds: 6 }).streaming).toMatchObject({ fragmentRequestTimeout: 2100, blacklistExpiryTime: 60 });
    expect(dashSettings().streaming.fragmentRequestTimeout).toBe(4000);
  });

  it("gives each region of a steered MPD one attempt, and the gateway several", () => {
    const player = new FakePlayer();
    const stop = demoteOnFailure(player);
    const several = dashSettings().streaming.retryAttempts.MediaSegment;
    expect(several).toBeGreaterThan(3);
    expect(player.loaded({ BaseURL: [{ serviceLocation: "west" }, { serviceLocation: "north" }] })).toBe(0);
    expect(player.loaded({ BaseURL: [{ serviceLocation: "gateway" }] })).toBe(several);
    expect(player.loaded({ BaseURL: ["one", "two"] })).toBe(0);
    expect(player.loaded({})).toBe(several);
    expect(player.loaded(null), "an MPD that could not be loaded").toBe(several);
    stop();
    expect(player.listeners.size).toBe(0);
  });
});
