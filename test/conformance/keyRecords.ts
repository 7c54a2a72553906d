/** What every `KeyRecords` does: the contract in `src/core/ports`, sentence by sentence. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Journal } from "../../src/core/ports/journal.ts";
import type { KeyRecords, SealedRecord } from "../../src/core/ports/keyRecords.ts";
import { eachTest } from "./eachTest.ts";

export interface KeyRecordsHarness extends AsyncDisposable {
  readonly records: KeyRecords;
  /** The same store as another process or connection sees it. */
  readonly second: KeyRecords;
  /** The journal whose leases fence its writes. */
  readonly journal: Journal;
}

const CONFLICT = { code: "key_record_conflict", retry: "conflict" };
const LEASE_LOST = { code: "lease_lost", retry: "retry" };

export function sealedRecord(id: string, version: string, change: Partial<SealedRecord> = {}): SealedRecord {
  return { id, version, keyId: "0123456789abcdef", at: 1_700_000_000_000, sealed: "AAECAwQF", ...change };
}

export function keyRecordsConformance(name: string, make: () => Promise<KeyRecordsHarness>): void {
  describe(`key records: ${name}`, () => {
    const harness = eachTest(make);

    it("gives back what was put, and null for what was not", async () => {
      const { records, second } = harness();
      const record = sealedRecord("contentKeyPolicy/west/drm default/1", "one");
      await records.put(record, null);
      expect(await second.get(record.id)).toEqual(record);
      expect(await records.get("contentKeyPolicy/west/drm")).toBeNull();
    });

    it("writes only over the version that is named, and changes nothing otherwise", async () => {
      const { records, second } = harness();
      await records.put(sealedRecord("a", "one"), null);
      await expect(second.put(sealedRecord("a", "two"), null)).rejects.toMatchObject(CONFLICT);
      await second.put(sealedRecord("a", "two", { sealed: "BBBB", keyId: "fedcba9876543210", at: 5 }), "one");
      await expect(records.put(sealedRecord("a", "three"), "one")).rejects.toMatchObject(CONFLICT);
      await expect(records.put(sealedRecord("b", "one"), "none")).rejects.toMatchObject(CONFLICT);
      expect(await records.get("a")).toEqual(sealedRecord("a", "two", { sealed: "BBBB", keyId: "fedcba9876543210", at: 5 }));
      expect(await records.get("b")).toBeNull();
    });

    it("removes only the version that is named", async () => {
      const { records, second } = harness();
      await records.put(sealedRecord("a", "one"), null);
      await expect(second.remove("a", "two")).rejects.toMatchObject(CONFLICT);
      await second.remove("a", "one");
      expect(await records.get("a")).toBeNull();
      await expect(records.remove("a", "one")).rejects.toMatchObject(CONFLICT);
    });

    it("lets exactly one of two writers win", async () => {
      const { records, second } = harness();
      const results = await Promise.allSettled([
        records.put(sealedRecord("a", "mine"), null),
        second.put(sealedRecord("a", "theirs"), null),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    });

    it("lists every record once, in order, also while others are written and removed", async () => {
      const { records, second } = harness();
      const ids = Array.from({ length: 230 }, (_, at) => `locator/${String(at).padStart(4, "0")}`);
      for (const id of ids) await records.put(sealedRecord(id, "one"), null);
      const seen: string[] = [];
      for await (const { id } of records.list()) {
        seen.push(id);
        if (seen.length === 10) await second.remove("locator/0220", "one");
        if (seen.length === 20) await second.put(sealedRecord("locator/0000-late", "one"), null);
        if (seen.length === 30) await second.put(sealedRecord("locator/0100", "two"), "one");
      }
      expect(seen).toEqual([...seen].sort());
      expect(new Set(seen).size).toBe(seen.length);
      for (const id of ids) if (id !== "locator/0220") expect(seen).toContain(id);
    });

    it("writes under a fence while the lease is its owner's, and nothing once it is another's", async () => {
      const { records, second, journal } = harness();
      const fence = (owner: string) => ({ jobId: "w/intro->w", owner });
      await expect(records.put(sealedRecord("a", "zero"), null, fence("one"))).rejects.toMatchObject(LEASE_LOST);
      await journal.acquire("w/intro->w", "one", 1_000, 500);
      await records.put(sealedRecord("a", "one"), null, fence("one"));
      await journal.acquire("w/intro->w", "one", 1_200, 500);
      await records.put(sealedRecord("a", "two"), "one", fence("one"));
      await journal.acquire("w/intro->w", "two", 2_000, 500);
      await expect(records.put(sealedRecord("a", "three"), "two", fence("one"))).rejects.toMatchObject(LEASE_LOST);
      await second.put(sealedRecord("a", "four"), "two", fence("two"));
      expect((await records.get("a"))?.version).toBe("four");
    });

    it("keeps large records whole", async () => {
      const { records, second } = harness();
      const record = sealedRecord("a", "one", { sealed: Buffer.alloc(150_000, 7).toString("base64") });
      await records.put(record, null);
      expect(await second.get("a")).toEqual(record);
      const [listed] = await Array.fromAsync(second.list());
      expect(listed).toEqual(record);
    });

    it("keeps any name apart from any other", async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), fc.uuid(), async (name, version) => {
          const id = `accountFilter/west/${name}`;
          const { records } = harness();
          const stored = await records.get(id);
          await records.put(sealedRecord(id, version), stored?.version ?? null);
          expect(await records.get(id)).toEqual(sealedRecord(id, version));
        }),
        { numRuns: 30 },
      );
    });
  });
}
