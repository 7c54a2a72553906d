/** A file that one region took, in the hands of schedulers that share the records, over virtual time. */
import { describe, expect, it } from "vitest";
import type { EncodingJob, InputCopy } from "../../src/core/encoding.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { Log } from "../../src/core/log.ts";
import type { EncodingInputs } from "../../src/core/ports/encodingInputs.ts";
import { EncodingDesk } from "../../src/encoding/desk.ts";
import { DEFAULT_POLICY, type EncodingPolicy } from "../../src/encoding/policy.ts";
import { DEFAULT_TIMES, Scheduler } from "../../src/encoding/scheduler.ts";
import { seededRandom } from "../fakes/clock.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { SimulatedAccount } from "../simulation/encoding/simulatedAccount.ts";
import { VirtualClock } from "../simulation/encoding/virtualClock.ts";
import { MINUTE, NOW, SECOND } from "./samples.ts";

const UNAVAILABLE = new PaircastError("storage_unavailable", "no answer from https://host.example/a?sig=secret-of-west", {
  retry: "retry",
});
const POLICY: EncodingPolicy = {
  ...DEFAULT_POLICY,
  job: { ...DEFAULT_POLICY.job, keep: { regions: ["west", "east", "north"], copies: 2 } },
};
const HOUR = 60 * MINUTE;

type Copy = (job: Pick<EncodingJob, "input" | "copies">, to: InputCopy, signal: AbortSignal) => Promise<void>;

/** Jobs run in west for an hour; `copy` makes the copies. */
function stage(copy: Copy, schedulers = 1) {
  const clock = new VirtualClock(NOW);
  const random = seededRandom(3);
  const store = new MemoryEncoding();
  const desk = new EncodingDesk({ store, clock, random, policy: POLICY.job });
  const [lines, copied, discarded]: [string[], string[], string[]] = [[], [], []];
  const say = (event: string, fields?: object): void => void lines.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { debug: say, info: say, warn: say, error: say, line: say, dropped: () => 0 };
  const inputs: EncodingInputs = {
    open: async () => ({ kind: "urls", urls: [] }),
    copy: async (job, to, signal) => {
      copied.push(`${to.region} ${to.assetName.slice(-2)}`);
      await copy(job, to, signal);
    },
    discard: async ({ region, assetName }) => void discarded.push(`${region} ${assetName.slice(-2)}`),
  };
  const world = { clock, random, outages: [], jams: [], flakiness: 0, durationOf: () => HOUR, isBad: () => false, emit: () => undefined };
  const account = new SimulatedAccount({ name: "west", ...world });
  const options = { store, inputs, clock, random, log, policy: POLICY, times: DEFAULT_TIMES };
  const stops = Array.from({ length: schedulers }, () => new AbortController());
  const runs = stops.map(async ({ signal }) =>
    new Scheduler({
      ...options,
      accounts: [{ account, maxInFlight: 40 }],
      publisher: { publish: async () => undefined },
      transforms: (name) => ({ name, description: null, outputs: [{}] }),
      overridden: () => null,
      concurrency: { jobs: 64, callsPerAccount: 8 },
    }).run(signal),
  );
  let clients = 0;
  /** A job whose file west has taken, and nobody else. */
  const submit = async (): Promise<string> => {
    clients += 1;
    const request = { clientId: `c${clients}`, transform: "ladder", priority: "normal" } as const;
    const job = await during(clock, desk.submit({ ...request, input: { kind: "upload", fileName: "a.mp4", bytes: 9 } }));
    await during(clock, desk.uploaded(job.job.id, { type: "uploading", regions: ["west"] }));
    await during(clock, desk.uploaded(job.job.id, { type: "uploaded", upload: 1, regions: ["west"] }));
    return job.job.id;
  };
  const copies = async (id: string) => ((await store.get(id))?.job.copies ?? []).map(({ region, state }) => `${region} ${state}`);
  const end = async (): Promise<void> => {
    for (const stop of stops) stop.abort();
    await clock.advance(MINUTE);
    await Promise.all(runs);
  };
  return { clock, store, desk, account, lines, copied, discarded, stops, submit, copies, [Symbol.asyncDispose]: end };
}

async function during<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  await clock.advance(100);
  return work;
}

describe("a file that one region took", () => {
  it("has its second copy before long, once, whoever looks", async () => {
    await using it = stage(async () => undefined, 3);
    const id = await it.submit();
    await it.clock.advance(10 * SECOND);
    expect(await it.copies(id)).toEqual(["west kept"]);
    await it.clock.advance(MINUTE);
    expect([await it.copies(id), it.copied]).toEqual([["west kept", "east kept"], ["east i2"]]);
    expect(it.lines.filter((line) => line.startsWith("encoding.input_copied"))).toHaveLength(1);
    await it.clock.advance(20 * MINUTE);
    expect(it.copied).toHaveLength(1);
  });

  it("is copied elsewhere where a region does not take it, what is left is removed, and no secret is told", async () => {
    await using it = stage(async (_job, { region }) => {
      if (region === "east") throw UNAVAILABLE;
    });
    const id = await it.submit();
    await it.clock.advance(3 * MINUTE);
    expect([await it.copies(id), it.copied, it.discarded]).toEqual([["west kept", "north kept"], ["east i2", "north i3"], ["east i2"]]);
    const told = it.lines.filter((line) => line.startsWith("encoding.input_uncopied"));
    expect(told).toEqual([expect.stringContaining(`"region":"east"`)]);
    expect(told.join("")).not.toContain("secret-of-west");
  });

  it("is followed while a copy takes long, and what comes of it after the job is over is removed", async () => {
    const held = Promise.withResolvers<void>();
    await using it = stage(async () => held.promise);
    const id = await it.submit();
    await it.clock.advance(3 * MINUTE);
    expect(await it.copies(id)).toEqual(["west kept", "east coming"]);
    await during(it.clock, it.desk.cancel(id, "Ada"));
    await it.clock.advance(MINUTE);
    // Removed at once, and again when it has come all the same.
    expect([await it.copies(id), it.discarded]).toEqual([["west kept"], ["east i2"]]);
    held.resolve();
    await it.clock.advance(MINUTE);
    expect([await it.copies(id), it.discarded]).toEqual([["west kept"], ["east i2", "east i2"]]);
  });

  it("is given up after a time, and stops with its scheduler", async () => {
    const untilAborted: Copy = async (_job, _to, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
      });
    await using it = stage(untilAborted);
    const id = await it.submit();
    await it.clock.advance(7 * MINUTE);
    expect(it.copied).toEqual(["east i2", "north i3"]);
    it.stops[0]?.abort();
    await it.clock.advance(MINUTE);
    expect(it.lines.filter((line) => line.startsWith("encoding.input_uncopied"))).toHaveLength(2);
    expect((await it.copies(id)).at(-1)).toBe("north owed");
  });

  it("waits for its turn where many are copied", async () => {
    let [under, most] = [0, 0];
    const clockOf: { sleep?: (ms: number) => Promise<void> } = {};
    await using it = stage(async () => {
      under += 1;
      most = Math.max(most, under);
      await clockOf.sleep?.(10 * SECOND);
      under -= 1;
    });
    clockOf.sleep = async (ms) => it.clock.sleep(ms);
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) ids.push(await it.submit());
    await it.clock.advance(10 * MINUTE);
    expect([most, it.copied.length]).toEqual([4, 20]);
    for (const id of ids) expect(await it.copies(id)).toEqual(["west kept", "east kept"]);
  });
});
