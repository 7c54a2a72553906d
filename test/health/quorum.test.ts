import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ViewerQuorum, type QuorumPolicy } from "../../src/health/quorum.ts";

const POLICY: QuorumPolicy = { quorum: 3, window: 10_000 };

/** `-a` fails, `a` succeeds; one outcome a second. */
function hears(voices: readonly string[], policy = POLICY, apart = 1000): boolean[] {
  const viewers = new ViewerQuorum(policy);
  return voices.map((voice, index) => viewers.heard(voice.replace("-", ""), !voice.startsWith("-"), index * apart));
}

describe("quorum of viewers", () => {
  it.each([
    ["three different viewers that fail", ["-a", "-b", "-c"], true],
    ["two of them", ["-a", "-b", "-a", "-b"], false],
    ["one, however often", Array<string>(200).fill("-a"), false],
    ["three, one of whom succeeded since", ["-a", "-b", "a", "-c"], false],
    ["three of whom one failed since", ["a", "-b", "-c", "-a"], true],
    ["as many that succeed", ["a", "b", "c", "-d", "-e", "-f"], false],
    ["more than those that succeed", ["a", "b", "-c", "-d", "-e"], true],
  ])("%s", (_, voices, expected) => {
    expect(hears(voices).at(-1)).toBe(expected);
  });

  it("forgets after the window", () => {
    expect(hears(["-a", "-b", "-c"], POLICY, 4999).at(-1)).toBe(true);
    expect(hears(["-a", "-b", "-c"], POLICY, 5000).at(-1)).toBe(false);
    expect(hears(["a", "b", "-c", "-d", "-e"], { quorum: 3, window: 2500 }).at(-1)).toBe(true);
  });

  it("begins again after it was believed", () => {
    const viewers = new ViewerQuorum(POLICY);
    for (const viewer of ["a", "b", "c"]) viewers.heard(viewer, false, 0);
    viewers.clear();
    expect(["d", "e", "f"].map((viewer) => viewers.heard(viewer, false, 1))).toEqual([false, false, true]);
  });

  it("remembers no more than it needs", () => {
    const viewers = new ViewerQuorum(POLICY);
    for (let count = 0; count < 100_000; count += 1) viewers.heard(`good ${count}`, true, 0);
    const bad = Array.from({ length: 600 }, (_, count) => viewers.heard(`bad ${count}`, false, 0));
    expect(bad.indexOf(true)).toBe(256);
  });

  it("is what counting everything again would find", () => {
    const voice = fc.record({
      viewer: fc.constantFrom("a", "b", "c", "d", "e"),
      ok: fc.boolean(),
      wait: fc.integer({ min: 0, max: 6000 }),
    });
    fc.assert(
      fc.property(fc.array(voice, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (voices, quorum) => {
        const viewers = new ViewerQuorum({ quorum, window: 10_000 });
        const heard: { viewer: string; ok: boolean; at: number }[] = [];
        let at = 0;
        for (const { viewer, ok, wait } of voices) {
          at += wait;
          heard.push({ viewer, ok, at });
          const recent = new Map(heard.filter((each) => at - each.at < 10_000).map((each) => [each.viewer, each.ok]));
          const failing = [...recent.values()].filter((each) => !each).length;
          expect(viewers.heard(viewer, ok, at)).toBe(failing >= quorum && failing > recent.size / 2);
        }
      }),
    );
  });
});
