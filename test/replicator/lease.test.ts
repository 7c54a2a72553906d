import { describe, expect, it } from "vitest";
import { withLease } from "../../src/replicator/lease.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryCatalogue } from "../fakes/memoryCatalogue.ts";
import { MemoryJournal } from "../fakes/memoryJournal.ts";

const LEASE_MS = 15_000;

function setup() {
  const clock = new ManualClock();
  const journal = new MemoryJournal();
  const catalogue = new MemoryCatalogue((fence) => journal.holds(fence));
  return { clock, journal, catalogue, options: { journal, clock, owner: "process", leaseMs: LEASE_MS } };
}

describe("the lease of a job", () => {
  it("lets write who holds it, and nobody afterwards", async () => {
    const { options, catalogue } = setup();
    const owner = await withLease(options, "job", undefined, async (_lost, holder) => {
      await catalogue.put(catalogueEntry("a"), null, { jobId: "job", owner: holder });
      return holder;
    });
    expect(owner).toMatch(/^process\//);
    await expect(catalogue.put(catalogueEntry("b"), null, { jobId: "job", owner })).rejects.toMatchObject({ code: "lease_lost" });
  });

  it("that was lost stays lost, also when the same process takes the job again", async () => {
    const { options, catalogue, clock, journal } = setup();
    const held = Promise.withResolvers<string>();
    const lostAt = Promise.withResolvers<unknown>();
    const first = withLease(options, "job", undefined, async (lost, owner) => {
      held.resolve(owner);
      lost.addEventListener("abort", () => {
        lostAt.resolve(lost.reason);
      });
      await lostAt.promise;
      // Long held up: by now the process has taken the job once more.
      await withLease(options, "job", undefined, async (_again, heir) => {
        expect(heir).not.toBe(owner);
        await expect(catalogue.put(catalogueEntry("a"), null, { jobId: "job", owner })).rejects.toMatchObject({ code: "lease_lost" });
        await catalogue.put(catalogueEntry("a"), null, { jobId: "job", owner: heir });
      });
    });
    await held.promise;
    clock.stall(2 * LEASE_MS);
    await journal.acquire("job", "another process", clock.now(), 1);
    clock.stall(1);
    await journal.release("job", "another process");
    await journal.acquire("job", "a third", clock.now(), 1);
    await clock.advance(LEASE_MS);
    await expect(lostAt.promise).resolves.toMatchObject({ code: "lease_lost" });
    await clock.advance(LEASE_MS);
    await first;
    expect((await catalogue.get("a"))?.entry).toEqual(catalogueEntry("a"));
  });
});
