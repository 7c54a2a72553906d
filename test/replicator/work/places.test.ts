import { describe, expect, it } from "vitest";
import { Places } from "../../../src/replicator/work/places.ts";

const never = new AbortController().signal;

describe("Places", () => {
  it("gives so many, and then to whoever waits longest", async () => {
    const places = new Places(2);
    const [one, two] = [await places.take(never), await places.take(never)];
    const order: string[] = [];
    const third = places.take(never).then((place) => (order.push("third"), place));
    expect(places.isFull).toBe(false);
    const fourth = places.take(never).then((place) => (order.push("fourth"), place));
    expect(places.isFull).toBe(true);
    expect(order).toEqual([]);
    one[Symbol.dispose]();
    (await third)[Symbol.dispose]();
    await fourth;
    expect(order).toEqual(["third", "fourth"]);
    two[Symbol.dispose]();
    (await places.take(never))[Symbol.dispose]();
  });

  it("loses no place to one that was stopped while it waited", async () => {
    const places = new Places(1);
    const held = await places.take(never);
    const stop = new AbortController();
    const stopped = places.take(stop.signal);
    stop.abort(new Error("stopped"));
    await expect(stopped).rejects.toThrow("stopped");
    expect(places.isFull).toBe(false);
    const next = places.take(never);
    held[Symbol.dispose]();
    (await next)[Symbol.dispose]();
    await expect(places.take(stop.signal)).rejects.toThrow("stopped");
    (await places.take(never))[Symbol.dispose]();
  });
});
