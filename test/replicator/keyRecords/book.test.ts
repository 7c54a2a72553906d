import { beforeEach, describe, expect, it } from "vitest";
import { createLog } from "../../../src/core/log.ts";
import type { Tree } from "../../../src/core/media.ts";
import { RecordBook } from "../../../src/replicator/keyRecords/book.ts";
import { policyRecordId, type RecordedContent } from "../../../src/replicator/keyRecords/content.ts";
import { Keyring } from "../../../src/replicator/keyRecords/keyring.ts";
import { masterKey } from "../../../src/replicator/keyRecords/seal.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";
import { MemoryKeyRecords } from "../../fakes/memoryKeyRecords.ts";

const SECRET = "swordfish-swordfish";
const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

let records: MemoryKeyRecords;
let clock: ManualClock;
let lines: string[];
let processes = 0;
beforeEach(() => {
  records = new MemoryKeyRecords();
  clock = new ManualClock();
  lines = [];
});

function bookWith(...keys: Uint8Array[]): RecordBook {
  processes += 1;
  const keyring = new Keyring(keys.map((bytes) => async () => bytes));
  const log = createLog("debug", { write: (line: string) => void lines.push(line) });
  return new RecordBook({ records, keyring, clock, random: seededRandom(processes), log });
}

function id(name: string): string {
  return policyRecordId("contentKeyPolicy", "west", name);
}

function policy(name: string, secret: Tree = SECRET): RecordedContent {
  return { kind: "contentKeyPolicy", policy: { name, properties: { options: [{ secret, key: Buffer.from(SECRET) }] } } };
}

describe("the record of keys", () => {
  it("gives back what was written, and stores nothing of it in the clear", async () => {
    expect(await bookWith(OLD).write(id("drm"), policy("drm"))).toBe(true);
    expect((await bookWith(OLD).read("contentKeyPolicy", id("drm")))?.policy.properties).toMatchObject({ options: [{ secret: SECRET }] });
    const stored = await records.get(id("drm"));
    expect(Buffer.from(stored?.sealed ?? "", "base64").toString("latin1")).not.toContain(SECRET);
    expect(await bookWith(OLD).read("contentKeyPolicy", id("other"))).toBeNull();
  });

  it("writes nothing where nothing has changed, and something where anything has", async () => {
    await bookWith(OLD).write(id("drm"), policy("drm"));
    const before = await records.get(id("drm"));
    expect(await bookWith(OLD).write(id("drm"), policy("drm"))).toBe(false);
    expect(await records.get(id("drm"))).toEqual(before);
    expect(await bookWith(OLD).write(id("drm"), policy("drm", "another"))).toBe(true);
    expect((await records.get(id("drm")))?.version).not.toBe(before?.version);
  });

  it("does not look again for ten minutes at what it has seen to be recorded", async () => {
    const book = bookWith(OLD);
    await book.write(id("drm"), policy("drm"));
    records.calls.reset();
    for (let count = 0; count < 1000; count += 1) await book.write(id("drm"), policy("drm"));
    expect(records.calls.all).toEqual([]);
    await clock.advance(600_000);
    await book.write(id("drm"), policy("drm"));
    expect(records.calls.count("get")).toBe(1);
  });

  it("says which master key is missing, and leaves the record alone", async () => {
    await bookWith(OLD).write(id("drm"), policy("drm"));
    const failure = await bookWith(NEW)
      .read("contentKeyPolicy", id("drm"))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "key_record_locked", retry: "never" });
    expect(String(failure)).toContain(masterKey(OLD).id);
    expect(String(failure)).not.toContain(OLD.toString("base64").slice(0, 20));
  });

  it("refuses a record that was changed or put into another's place, and replaces it when its content is at hand", async () => {
    await bookWith(OLD).write(id("a"), policy("a"));
    await bookWith(OLD).write(id("b"), policy("b", "of b"));
    const other = await records.get(id("b"));
    records.tamper(id("a"), (record) => ({ ...record, ...other, id: id("a") }));
    await expect(bookWith(OLD).read("contentKeyPolicy", id("a"))).rejects.toMatchObject({ code: "key_record_damaged" });
    expect(await bookWith(OLD).write(id("a"), policy("a"))).toBe(true);
    expect((await bookWith(OLD).read("contentKeyPolicy", id("a")))?.policy.name).toBe("a");
    expect(lines.join()).toContain("replication.key_record_replaced");
    expect(lines.join()).not.toContain(SECRET);
  });

  it("makes room for a concurrent writer's record", async () => {
    const book = bookWith(OLD);
    let raced = false;
    records.calls.onCall = async ({ operation }) => {
      if (operation !== "put" || raced) return;
      raced = true;
      await bookWith(OLD).write(id("drm"), policy("drm", "theirs"));
    };
    expect(await book.write(id("drm"), policy("drm", "ours"))).toBe(true);
    expect((await book.read("contentKeyPolicy", id("drm")))?.policy.properties).toMatchObject({ options: [{ secret: "ours" }] });
  });

  it("asks a vault again after it failed, and only for what it needs", async () => {
    let asked = 0;
    const vault = async (): Promise<Uint8Array> => {
      asked += 1;
      if (asked === 1) throw new Error("the vault does not answer");
      return OLD;
    };
    const keyring = new Keyring([async () => NEW, vault]);
    await keyring.newest();
    await keyring.find(masterKey(NEW).id, "a");
    expect(asked).toBe(0);
    await expect(keyring.find(masterKey(OLD).id, "a")).rejects.toThrow("the vault does not answer");
    expect((await keyring.find(masterKey(OLD).id, "a")).id).toBe(masterKey(OLD).id);
    expect(await keyring.ids()).toEqual([masterKey(NEW).id, masterKey(OLD).id]);
    expect(asked).toBe(2);
  });
});

describe("rotation", () => {
  it("encrypts under the newest key what is under an older one, once, and keeps its time", async () => {
    for (const name of ["a", "b"]) await bookWith(OLD).write(id(name), policy(name));
    const before = await records.get(id("a"));
    await clock.advance(1000);
    const book = bookWith(NEW, OLD);
    await book.write(id("c"), policy("c"));
    expect(await book.rotate()).toEqual({ rotated: 2, current: 1, unreadable: 0, problems: [] });
    expect(await book.rotate()).toEqual({ rotated: 0, current: 3, unreadable: 0, problems: [] });
    expect((await records.get(id("a")))?.at).toBe(before?.at);
    for (const name of ["a", "b", "c"]) expect((await bookWith(NEW).read("contentKeyPolicy", id(name)))?.policy.name).toBe(name);
  });

  it("goes on where it was stopped", async () => {
    for (const name of ["a", "b", "c"]) await bookWith(OLD).write(id(name), policy(name));
    const stop = new AbortController();
    records.calls.onCall = ({ operation }) => {
      if (operation === "put") stop.abort();
    };
    await expect(bookWith(NEW, OLD).rotate(stop.signal)).rejects.toThrow();
    records.calls.onCall = null;
    expect(await bookWith(NEW, OLD).rotate()).toMatchObject({ rotated: 2, current: 1 });
  });

  it("leaves what it cannot read as it is, counts it and says why", async () => {
    for (const name of ["a", "b"]) await bookWith(OLD).write(id(name), policy(name));
    records.tamper(id("a"), (record) => ({ ...record, at: 1 }));
    const damaged = await records.get(id("a"));
    expect(await bookWith(NEW, OLD).rotate()).toMatchObject({ rotated: 1, unreadable: 1, problems: [expect.stringContaining(id("a"))] });
    expect(await records.get(id("a"))).toEqual(damaged);
  });
});
