/** What every `OverrideStore` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { Override } from "../../src/core/contracts.ts";
import type { OverrideStore } from "../../src/core/ports/overrides.ts";
import { eachTest } from "./eachTest.ts";

export interface OverrideStoreHarness extends AsyncDisposable {
  readonly store: OverrideStore;
  /** The same overrides as another process or connection sees them. */
  readonly second: OverrideStore;
}

export function anOverride(id: string, change: Partial<Override> = {}): Override {
  return {
    id,
    kind: "drain",
    region: "westeurope",
    service: "all",
    reason: "certificates are exchanged",
    by: "ada",
    createdAt: 1_000,
    expiresAt: 10_000,
    ...change,
  };
}

export function overrideStoreConformance(name: string, make: () => Promise<OverrideStoreHarness>): void {
  describe(`override store: ${name}`, () => {
    const harness = eachTest(make);

    it("has nothing in force and nothing in the audit at first", async () => {
      const { store, second } = harness();
      expect(await store.active(0)).toEqual([]);
      expect(await second.audit(10)).toEqual([]);
      expect(await store.revision()).toBe(await second.revision());
    });

    it("gives back what was set, oldest first, to everyone", async () => {
      const { store, second } = harness();
      const later = anOverride("b", { region: "northeurope", createdAt: 2_000, reason: "ü 'quoted'", kind: "pin", service: "keys" });
      await second.set(later);
      await store.set(anOverride("a"));
      expect(await store.active(3_000)).toEqual([anOverride("a"), later]);
      expect(await second.active(3_000)).toEqual([anOverride("a"), later]);
    });

    it("keeps whether a pin was forced, and forgets it when it is replaced", async () => {
      const { store, second } = harness();
      const forced = anOverride("a", { kind: "pin", forced: true });
      await store.set(forced);
      expect(await second.active(3_000)).toEqual([forced]);
      expect((await second.audit(1))[0]?.override).toEqual(forced);
      const plain = anOverride("b", { kind: "pin", createdAt: 2_000 });
      await store.set(plain);
      expect(await second.active(3_000)).toEqual([plain]);
    });

    it("replaces an override of the same region and service, and no other", async () => {
      const { store, second } = harness();
      await store.set(anOverride("all"));
      await store.set(anOverride("keys", { service: "keys", createdAt: 1_100 }));
      await store.set(anOverride("north", { region: "northeurope", createdAt: 1_200 }));
      const disable = anOverride("stronger", {
        kind: "disable",
        reason: "worse than thought",
        by: "bob",
        createdAt: 1_300,
        expiresAt: 9_000,
      });
      await second.set(disable);
      const active = await store.active(2_000);
      expect(active.map(({ id }) => id)).toEqual(["keys", "north", "stronger"]);
      expect(active[2]).toEqual(disable);
    });

    it("lifts by id, once, and says what was lifted", async () => {
      const { store, second } = harness();
      await store.set(anOverride("a"));
      expect(await second.lift("other", "bob", 2_000)).toBeNull();
      expect(await second.lift("a", "bob", 2_000)).toEqual(anOverride("a"));
      expect(await store.lift("a", "bob", 2_001)).toBeNull();
      expect(await store.active(2_001)).toEqual([]);
      expect(await store.audit(10)).toEqual([
        { at: 2_000, action: "lifted", override: anOverride("a"), by: "bob" },
        { at: 1_000, action: "set", override: anOverride("a"), by: "ada" },
      ]);
    });

    it("leaves out what has expired: at its end, not before", async () => {
      const { store } = harness();
      await store.set(anOverride("a", { expiresAt: 5_000 }));
      expect((await store.active(4_999)).length).toBe(1);
      expect(await store.active(5_000)).toEqual([]);
    });

    it("audits an expiry once, at the time it happened, with the next write of anybody", async () => {
      const { store, second } = harness();
      await store.set(anOverride("a", { expiresAt: 5_000 }));
      await second.set(anOverride("b", { region: "northeurope", createdAt: 6_000, expiresAt: 7_000 }));
      expect(await store.lift("a", "late", 6_500)).toBeNull();
      expect((await second.expire(8_000)).map(({ id }) => id)).toEqual(["b"]);
      expect(await store.expire(8_000)).toEqual([]);
      const told = (await store.audit(10)).map(({ action, override, at }) => `${action} ${override.id} ${at}`);
      expect(told).toEqual(["expired b 7000", "set b 6000", "expired a 5000", "set a 1000"]);
    });

    it("does not resurrect what has been removed when the clock goes backwards", async () => {
      const { store, second } = harness();
      await store.set(anOverride("a", { expiresAt: 5_000 }));
      await store.expire(5_000);
      expect(await second.active(1_000)).toEqual([]);
    });

    it("lists the newest events first, at most so many", async () => {
      const { store, second } = harness();
      for (const at of [1, 2, 3]) await store.set(anOverride(`id-${at}`, { createdAt: at }));
      expect((await second.audit(2)).map(({ override }) => override.id)).toEqual(["id-3", "id-2"]);
    });

    it("has another revision after every change, and the same while nothing changes", async () => {
      const { store, second } = harness();
      const revisions = [await store.revision()];
      const step = async (act: () => Promise<unknown>) => {
        await act();
        revisions.push(await second.revision());
      };
      await step(async () => store.set(anOverride("a")));
      await step(async () => second.set(anOverride("b")));
      await step(async () => store.lift("b", "ada", 2_000));
      await step(async () => store.set(anOverride("c", { expiresAt: 3_000 })));
      await step(async () => store.expire(3_000));
      expect(new Set(revisions).size).toBe(revisions.length);
      await store.lift("b", "ada", 4_000);
      await store.expire(4_000);
      await store.active(4_000);
      expect(await second.revision()).toBe(revisions.at(-1));
    });

    it("sets only what was decided on this revision, where one is named", async () => {
      const { store, second } = harness();
      const before = await store.revision();
      await second.set(anOverride("a"));
      const late = anOverride("b", { region: "northeurope" });
      await expect(store.set(late, before)).rejects.toMatchObject({ code: "overrides_conflict", retry: "conflict" });
      expect((await second.active(2_000)).map(({ id }) => id)).toEqual(["a"]);
      expect((await second.audit(10)).length).toBe(1);
      await store.set(late, await store.revision());
      expect((await second.active(2_000)).map(({ id }) => id)).toEqual(["a", "b"]);
    });
  });
}
