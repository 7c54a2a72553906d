import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FIRST_MARK, fraction, RingSample, sampleRanges, type SampleMark } from "../../../src/replicator/verification/sample.ts";

const KIB = 1024;

function check(
  names: readonly string[],
  count: number,
  from: SampleMark,
): { chosen: readonly string[]; laps: readonly number[]; next: SampleMark } {
  const ring = new RingSample<string>(count, "seed", from);
  for (const name of names) ring.add(name, name);
  const { items, next } = ring.chosen();
  return { chosen: items.map(({ item }) => item), laps: items.map(({ lap }) => lap), next };
}

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 60 });

describe("blobs of a sample", () => {
  it("are as many as wanted, each once, whatever the order of the listing", () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 20 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (all, count, place) => {
        const { chosen, next } = check(all, count, { place, lap: 3 });
        expect(chosen.length).toBe(Math.min(count, all.length));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(check(all.toReversed(), count, { place, lap: 3 })).toEqual({ chosen, laps: expect.anything(), next });
      }),
    );
  });

  it("are all of them within as many checks as it takes, each as often as any other but for one", () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 4 }), (all, count, rounds) => {
        const seen = new Map<string, number>();
        let mark = FIRST_MARK;
        for (let at = 0; at < rounds * Math.ceil(all.length / count); at += 1) {
          const { chosen, next } = check(all, count, mark);
          for (const name of chosen) seen.set(name, (seen.get(name) ?? 0) + 1);
          mark = next;
        }
        expect(seen.size).toBe(all.length);
        expect(Math.min(...seen.values())).toBeGreaterThanOrEqual(
          Math.floor((rounds * Math.ceil(all.length / count) * Math.min(count, all.length)) / all.length),
        );
      }),
    );
  });

  it("know how often they were read before", () => {
    const all = Array.from({ length: 10 }, (_, at) => `blob-${at}`);
    const laps = new Map<string, number[]>();
    let mark = FIRST_MARK;
    for (let at = 0; at < 25; at += 1) {
      const ring = new RingSample<string>(4, "seed", mark);
      for (const name of all) ring.add(name, name);
      const { items, next } = ring.chosen();
      for (const { item, lap } of items) laps.set(item, [...(laps.get(item) ?? []), lap]);
      mark = next;
    }
    for (const seen of laps.values()) expect(seen).toEqual(Array.from({ length: seen.length }, (_, at) => at));
  });
});

describe("ranges of a blob", () => {
  const sized = fc.record({
    length: fc.integer({ min: 0, max: 40_000 * KIB }),
    count: fc.integer({ min: 3, max: 16 }),
    bytes: fc.constantFrom(64 * KIB, 256 * KIB),
    seed: fc.string(),
    lap: fc.integer({ min: 0, max: 1_000_000 }),
  });

  it("are within it, in order, without overlap, and always hold its beginning and its end", () => {
    fc.assert(
      fc.property(sized, ({ length, count, bytes, seed, lap }) => {
        const ranges = sampleRanges(length, { count, bytes }, seed, lap);
        expect(ranges.length).toBe(Math.min(Math.ceil(length / bytes), count));
        let end = 0;
        for (const range of ranges) {
          expect(range.offset).toBeGreaterThanOrEqual(end);
          expect(range.length).toBeGreaterThan(0);
          end = range.offset + range.length;
        }
        expect(length === 0 ? 0 : ranges[0]?.offset).toBe(0);
        expect(end).toBe(length);
      }),
    );
  });

  it("hold every byte once within ⌈(N−2)/(r−2)⌉ looks that follow one another", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 3, max: 9 }),
        fc.string(),
        fc.integer({ min: 0, max: 99 }),
        (total, count, seed, lap) => {
          const seen = new Set<number>();
          const looks = Math.max(1, Math.ceil((total - 2) / (count - 2)));
          for (let look = 0; look < looks; look += 1)
            for (const { offset } of sampleRanges(total * 10, { count, bytes: 10 }, seed, lap + look)) seen.add(offset / 10);
          expect(seen.size).toBe(total);
        },
      ),
    );
  });

  it("catch one bad range in between with probability (r−2)/(N−2)", () => {
    const [total, count, blobs] = [40, 6, 4_000];
    const bad = 17;
    let caught = 0;
    for (let blob = 0; blob < blobs; blob += 1)
      if (sampleRanges(total * 10, { count, bytes: 10 }, `locator\netag-${blob}`, 0).some(({ offset }) => offset === bad * 10)) caught += 1;
    const expected = (count - 2) / (total - 2);
    const deviation = Math.sqrt((expected * (1 - expected)) / blobs);
    expect(Math.abs(caught / blobs - expected)).toBeLessThan(4 * deviation);
  });

  it("are drawn for the largest block blob there can be", () => {
    const ranges = sampleRanges(190 * 2 ** 40, { count: 8, bytes: 256 * KIB }, "x", 123_456);
    expect(new Set(ranges.map(({ offset }) => offset)).size).toBe(8);
  });
});

it("a fraction is uniform", () => {
  const buckets = Array.from({ length: 16 }, () => 0);
  for (let at = 0; at < 16_000; at += 1) buckets[Math.floor(fraction(`asset\nblob-${at}.mp4`) * 16)]! += 1;
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(160);
});
