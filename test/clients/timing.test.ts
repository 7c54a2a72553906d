import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timing } from "../../clients/timing.js";

describe("timing", () => {
  it.each([
    { options: { bufferSeconds: 6 }, firstByteMs: 2100, loadMs: 6000 },
    { options: { bufferSeconds: 4 }, firstByteMs: 1400, loadMs: 4000 },
    { options: { bufferSeconds: 30 }, firstByteMs: 4000, loadMs: 20_000 },
    { options: { bufferSeconds: 30, live: true }, firstByteMs: 2100, loadMs: 6000 },
    { options: {}, firstByteMs: 4000, loadMs: 20_000 },
  ])("of $options", ({ options, firstByteMs, loadMs }) => {
    expect(timing(options)).toMatchObject({ firstByteMs, silenceMs: firstByteMs, loadMs });
  });

  it("leaves time for the other region wherever the buffer is 4 s or more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 120 }), fc.boolean(), (bufferSeconds, live) => {
        const held = 1000 * (live ? Math.min(6, bufferSeconds) : bufferSeconds);
        const { firstByteMs, silenceMs, loadMs } = timing({ bufferSeconds, live });
        expect(Math.max(firstByteMs, silenceMs)).toBeLessThanOrEqual(held / 2);
        expect(firstByteMs).toBeLessThan(loadMs);
        expect(loadMs).toBeLessThanOrEqual(Math.max(4000, held));
      }),
    );
  });
});
