import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Override } from "../../../src/core/contracts.ts";
import { createLog } from "../../../src/core/log.ts";
import type { OverrideEvent } from "../../../src/core/ports/overrides.ts";
import { CachedOverrideView } from "../../../src/gateway/overrides/overrideView.ts";
import { anOverride } from "../../conformance/overrideStore.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { MemoryOverrides } from "../../fakes/memoryOverrides.ts";

let clock: ManualClock;
let store: MemoryOverrides;
let lines: string[];
let told: string[];
let changes: (readonly Override[])[];
let stop: AbortController;

beforeEach(() => {
  clock = new ManualClock(1_000);
  store = new MemoryOverrides();
  lines = [];
  told = [];
  changes = [];
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
});

function viewOf(): CachedOverrideView {
  const onEvent = ({ action, override, by }: OverrideEvent) => void told.push(`${action} ${override.id} by ${by}`);
  const onChange = (active: readonly Override[]) => void changes.push(active);
  return new CachedOverrideView({ store, clock, log: createLog("debug", { write: (line) => lines.push(line) }), onEvent, onChange });
}

function lasting(id: string, ms: number, change: Partial<Override> = {}): Override {
  return anOverride(id, { createdAt: clock.now(), expiresAt: clock.now() + ms, ...change });
}

function ids(view: CachedOverrideView): string[] {
  return view.active().map(({ id }) => id);
}

describe("the view of overrides", () => {
  it("is empty before the first read, and has what was there when it is read", async () => {
    await store.set(lasting("a", 60_000));
    const view = viewOf();
    expect(view.active()).toEqual([]);
    await view.refresh();
    expect(ids(view)).toEqual(["a"]);
    expect(told).toEqual([]);
  });

  it("sees what others set and lift within half a second, and tells who did it", async () => {
    const view = viewOf();
    const following = view.follow(stop.signal);
    await clock.advance(1_000);
    await store.set(lasting("a", 60_000));
    await clock.advance(500);
    expect(ids(view)).toEqual(["a"]);
    await store.lift("a", "bob", clock.now());
    await clock.advance(500);
    expect(ids(view)).toEqual([]);
    expect(told).toEqual(["set a by ada", "lifted a by bob"]);
    stop.abort();
    await following;
  });

  it("ends an override by the clock alone, without a read", async () => {
    await store.set(lasting("a", 5_000));
    await store.set(lasting("b", 9_000, { region: "northeurope" }));
    const view = viewOf();
    await view.refresh();
    store.calls.failAll("*", new Error("the disk is gone"));
    clock.jump(4_999);
    expect(ids(view)).toEqual(["a", "b"]);
    clock.jump(1);
    expect(ids(view)).toEqual(["b"]);
    expect(changes.at(-1)?.map(({ id }) => id)).toEqual(["b"]);
    clock.jump(-5_000);
    expect(ids(view)).toEqual(["b"]);
  });

  it("has the end of an override audited and told once, by whoever notices first", async () => {
    await store.set(lasting("a", 5_000));
    const [one, two] = [viewOf(), viewOf()];
    await one.refresh();
    await two.refresh();
    const following = [one.follow(stop.signal), two.follow(stop.signal)];
    await clock.advance(6_000);
    expect((await store.audit(10)).map(({ action, at }) => `${action} ${at}`)).toEqual(["expired 6000", "set 1000"]);
    expect(told).toEqual(["expired a by expiry", "expired a by expiry"]);
    expect(store.calls.count("expire")).toBeLessThanOrEqual(4);
    stop.abort();
    await Promise.all(following);
  });

  it("ends what ran out while no gateway was running", async () => {
    await store.set(lasting("a", 5_000));
    clock.jump(10_000);
    const view = viewOf();
    await view.refresh();
    expect(view.active()).toEqual([]);
    expect((await store.audit(1))[0]?.action).toBe("expired");
  });

  it("returns the same array until something changes", async () => {
    await store.set(lasting("a", 60_000));
    const view = viewOf();
    await view.refresh();
    const before = view.active();
    await view.refresh();
    clock.jump(1_000);
    expect(view.active()).toBe(before);
    await store.set(lasting("b", 60_000, { region: "northeurope" }));
    await view.refresh();
    expect(view.active()).not.toBe(before);
    expect(before.map(({ id }) => id)).toEqual(["a"]);
  });

  it("keeps what it has while the store cannot be read, says so once, and catches up", async () => {
    await store.set(lasting("a", 60_000));
    const view = viewOf();
    await view.refresh();
    const following = view.follow(stop.signal);
    await clock.advance(100);
    store.calls.failAll("revision", new Error("locked"));
    await clock.advance(3_000);
    expect(ids(view)).toEqual(["a"]);
    expect(lines.filter((line) => line.includes("override.unreadable")).length).toBe(1);
    await store.set(lasting("b", 60_000, { region: "northeurope" }));
    store.calls.heal();
    await clock.advance(1_000);
    expect(ids(view)).toEqual(["a", "b"]);
    expect(told).toEqual(["set b by ada"]);
    stop.abort();
    await following;
  });

  it("reads the revision and nothing else while nothing changes", async () => {
    const view = viewOf();
    await view.refresh();
    store.calls.reset();
    for (let count = 0; count < 5; count += 1) await view.refresh();
    expect(store.calls.all.map(({ operation }) => operation)).toEqual(Array.from({ length: 5 }, () => "revision"));
  });

  it("tells each event once when writes and reads come together", async () => {
    const view = viewOf();
    await view.refresh();
    const writes = ["a", "b", "c"].map(async (id) => {
      await store.set(lasting(id, 60_000, { region: id }));
      await view.refresh();
    });
    await Promise.all([...writes, view.refresh(), view.refresh()]);
    expect(told.toSorted()).toEqual(["set a by ada", "set b by ada", "set c by ada"]);
  });
});
