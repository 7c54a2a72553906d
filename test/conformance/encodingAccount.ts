/** What every `EncodingAccount` does: the contract in `src/core/ports`, sentence by sentence. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountJobState, Sighting, Transform } from "../../src/core/encoding.ts";
import type { AccountJob, EncodingAccount } from "../../src/core/ports/encodingAccount.ts";
import { eventually } from "../harness/wait.ts";
import { expectCode } from "./expectations.ts";

/** How the account refuses whatever it is asked. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 408 | 429 | 500 | 503;
  readonly retryAfterS?: number;
  /** What was asked for happens, and only the answer is lost. */
  readonly afterEffect?: boolean;
}

export interface EncodingAccountHarness extends AsyncDisposable {
  /** Of the region `west`; its jobs stay queued, scheduled or processing until `finish`. */
  readonly account: EncodingAccount;
  /** The same, at an address where nobody answers. */
  readonly unreachable: EncodingAccount;
  /** The same, with a credential that is not good for it. */
  readonly denied: EncodingAccount;
  /** Lets the jobs that are under way come to their end. */
  finish(): void;
  /** All calls from now on; null: they are answered again. */
  refuse(refusal: Refusal | null): void;
  /** Questions that the account has been asked. */
  asked(): number;
  /** Whether there is such an asset. */
  hasAsset(assetName: string): boolean;
  /** Now, by the account's clock. */
  now(): number;
}

const SECRET = "c2VjcmV0";
const PRESET = { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "AdaptiveStreaming" };
const output = { preset: PRESET, onError: "StopProcessingJob" };
const LADDER: Transform = { name: "ladder", description: "all of it", outputs: [output] };
const OTHER: Transform = { name: "other", description: null, outputs: [output] };

function jobOf(name: string, changes: Partial<AccountJob> = {}): AccountJob {
  const input = { kind: "urls", urls: [`https://in.example/${name}.mp4?sig=${SECRET}`] } as const;
  return { transform: "ladder", name, input, priority: "normal", outputs: [{ label: "o0", assetName: `${name}-o0` }], ...changes };
}

export function encodingAccountConformance(name: string, make: () => Promise<EncodingAccountHarness>): void {
  describe(`encoding account: ${name}`, () => {
    const { signal } = new AbortController();
    let harness: EncodingAccountHarness;
    let account: EncodingAccount;
    beforeEach(async () => {
      harness = await make();
      ({ account } = harness);
    });
    afterEach(async () => {
      await harness[Symbol.asyncDispose]();
    });

    const until = async (job: string, state: AccountJobState): Promise<readonly Sighting[]> => {
      const { value } = await eventually(20_000, `${job} to be ${state}`, async () => {
        const seen = await account.job("ladder", job, signal);
        return seen?.[0]?.state === state ? seen : null;
      });
      return value;
    };
    const names = async (transform: string, since: number): Promise<readonly string[]> => {
      const seen = await Array.fromAsync(account.jobs(transform, since, signal));
      return seen.map(([job]) => job?.jobName ?? "").toSorted((one, other) => one.localeCompare(other));
    };
    const operations = (on: EncodingAccount, stop: AbortSignal = signal): Readonly<Record<string, () => Promise<unknown>>> => ({
      ensureTransform: async () => on.ensureTransform(LADDER, stop),
      submit: async () => on.submit(jobOf("x-a1"), stop),
      job: async () => on.job("ladder", "x-a1", stop),
      jobs: async () => Array.fromAsync(on.jobs("ladder", harness.now(), stop)),
      cancel: async () => on.cancel("ladder", "x-a1", stop),
      removeJob: async () => on.removeJob("ladder", "x-a1", stop),
      removeAsset: async () => on.removeAsset("x-a1-o0", stop),
      ping: async () => on.ping(stop),
    });

    it("creates a transform, and replaces it", async () => {
      await account.ensureTransform(LADDER, signal);
      await account.ensureTransform(LADDER, signal);
      await account.ensureTransform({ ...LADDER, description: null, outputs: [output, output] }, signal);
      const outputs = ["o0", "o1"].map((label) => ({ label, assetName: `two-a1-${label}` }));
      await expectCode(account.submit(jobOf("one-a1"), signal), "account_rejected");
      await account.submit(jobOf("two-a1", { outputs }), signal);
      expect((await account.job("ladder", "two-a1", signal))?.map(({ label }) => label)).toEqual([null, "o0", "o1"]);
    });

    it("creates a job and its output assets, once however often it is submitted, whatever has become of it", async () => {
      await account.ensureTransform(LADDER, signal);
      const since = harness.now();
      expect(await account.job("ladder", "job-a1", signal)).toBeNull();
      await account.submit(jobOf("job-a1", { priority: "high" }), signal);
      expect(harness.hasAsset("job-a1-o0")).toBe(true);
      await account.submit(jobOf("job-a1", { priority: "low" }), signal);
      expect(await names("ladder", since)).toEqual(["job-a1"]);
      harness.finish();
      await until("job-a1", "finished");
      await account.submit(jobOf("job-a1"), signal);
      expect((await account.job("ladder", "job-a1", signal))?.[0]?.state).toBe("finished");
      expect(await names("ladder", since)).toEqual(["job-a1"]);
    });

    it("takes an asset of its own for an input", async () => {
      await account.ensureTransform(LADDER, signal);
      await account.submit(jobOf("first-a1"), signal);
      await account.submit(jobOf("job-a1", { input: { kind: "asset", assetName: "first-a1-o0", files: ["video.mp4"] } }), signal);
      expect((await account.job("ladder", "job-a1", signal))?.length).toBe(2);
    });

    it("shows the job first and its outputs after it, as they are now", async () => {
      await account.ensureTransform(LADDER, signal);
      await account.submit(jobOf("job-a1"), signal);
      const before = harness.now();
      const [job, first, ...rest] = (await account.job("ladder", "job-a1", signal)) ?? [];
      expect(job).toMatchObject({ account: "west", jobName: "job-a1", label: null, failure: null });
      expect(["queued", "scheduled", "processing"]).toContain(job?.state);
      expect(first).toMatchObject({ account: "west", jobName: "job-a1", label: "o0", failure: null });
      expect(rest).toEqual([]);
      expect(Math.abs((job?.at ?? 0) - before)).toBeLessThan(60_000);
      harness.finish();
      const [, finished] = await until("job-a1", "finished");
      expect(finished).toMatchObject({ label: "o0", state: "finished", progress: 100 });
      expect(await account.job("other", "job-a1", signal)).toBeNull();
      expect(await account.job("ladder", "job-a2", signal)).toBeNull();
    });

    it("lists the jobs of one transform that were created since, many for the price of one question", async () => {
      await account.ensureTransform(LADDER, signal);
      await account.ensureTransform(OTHER, signal);
      const since = harness.now();
      const all = Array.from({ length: 12 }, (_, at) => `${String.fromCodePoint(97 + at)}-a1`);
      for (const each of all) await account.submit(jobOf(each), signal);
      await account.submit(jobOf("elsewhere-a1", { transform: "other" }), signal);
      const before = harness.asked();
      expect(await names("ladder", since)).toEqual(all);
      expect(harness.asked() - before).toBe(1);
      expect(await names("other", since)).toEqual(["elsewhere-a1"]);
      expect(await names("ladder", since + 3_600_000)).toEqual([]);
      for await (const seen of account.jobs("ladder", since, signal)) {
        const [{ jobName } = { jobName: "" }] = seen;
        const [listed, alone] = [seen, await account.job("ladder", jobName, signal)];
        expect(listed.map(({ label, state }) => [label, state])).toEqual(alone?.map(({ label, state }) => [label, state]));
      }
    });

    it("cancels a job that is under way, and leaves one that is final or not there alone", async () => {
      await account.ensureTransform(LADDER, signal);
      await account.submit(jobOf("job-a1"), signal);
      await account.cancel("ladder", "job-a1", signal);
      const seen = (await account.job("ladder", "job-a1", signal))?.[0]?.state;
      expect(["canceling", "canceled"]).toContain(seen);
      await account.cancel("ladder", "job-a1", signal);
      await until("job-a1", "canceled");
      await account.cancel("ladder", "job-a1", signal);
      expect((await account.job("ladder", "job-a1", signal))?.[0]?.state).toBe("canceled");
      await account.submit(jobOf("job-a2"), signal);
      harness.finish();
      await until("job-a2", "finished");
      await account.cancel("ladder", "job-a2", signal);
      expect((await account.job("ladder", "job-a2", signal))?.[0]?.state).toBe("finished");
      await account.cancel("ladder", "never-there-a1", signal);
      await account.cancel("never-there", "job-a1", signal);
    });

    it("removes jobs that are final and assets, also where they are gone, and no job that is under way", async () => {
      await account.ensureTransform(LADDER, signal);
      await account.submit(jobOf("job-a1"), signal);
      const error = await expectCode(account.removeJob("ladder", "job-a1", signal), "account_rejected");
      expect(error.retry).toBe("never");
      expect(await account.job("ladder", "job-a1", signal)).not.toBeNull();
      harness.finish();
      await until("job-a1", "finished");
      for (let count = 0; count < 2; count += 1) {
        await account.removeJob("ladder", "job-a1", signal);
        expect(await account.job("ladder", "job-a1", signal)).toBeNull();
      }
      // The output stays until it is asked for itself.
      expect(harness.hasAsset("job-a1-o0")).toBe(true);
      for (let count = 0; count < 2; count += 1) {
        await account.removeAsset("job-a1-o0", signal);
        expect(harness.hasAsset("job-a1-o0")).toBe(false);
      }
      await account.removeJob("never-there", "job-a1", signal);
    });

    it("answers a ping", async () => {
      await account.ping(signal);
    });

    it("says by its errors what an answer says of the account, whatever was asked", async () => {
      await account.ensureTransform(LADDER, signal);
      for (const [status, code, retry] of [
        [400, "account_rejected", "never"],
        [401, "account_denied", "never"],
        [403, "account_denied", "never"],
        [408, "account_failing", "retry"],
        [429, "account_throttled", "retry"],
        [500, "account_failing", "retry"],
      ] as const) {
        harness.refuse({ status });
        for (const [operation, ask] of Object.entries(operations(account))) {
          const error = await expectCode(ask(), code);
          expect([operation, error.retry, error.retryAfterMs]).toEqual([operation, retry, null]);
          expect(`${error.message}${String(error.cause)}`).not.toContain(SECRET);
        }
        harness.refuse(null);
        expect(await account.job("ladder", "x-a1", signal)).toBeNull();
      }
    });

    it("hands on when the service wants to be asked again, without waiting for it", async () => {
      await account.ensureTransform(LADDER, signal);
      for (const [status, code] of [
        [429, "account_throttled"],
        [503, "account_failing"],
      ] as const) {
        harness.refuse({ status, retryAfterS: 3_600 });
        for (const ask of Object.values(operations(account))) {
          const before = harness.asked();
          expect((await expectCode(ask(), code)).retryAfterMs).toBe(3_600_000);
          expect(harness.asked() - before).toBe(1);
        }
      }
    });

    it("names the service's own words where the request is at fault", async () => {
      await expectCode(account.submit(jobOf("job-a1", { transform: "never-there" }), signal), "account_rejected");
      harness.refuse({ status: 400 });
      expect((await expectCode(account.ping(signal), "account_rejected")).message).toContain("it is broken");
    });

    it("says that nobody answers, and that the credential is refused", async () => {
      for (const ask of Object.values(operations(harness.unreachable)))
        expect((await expectCode(ask(), "account_unreachable")).retry).toBe("retry");
      for (const ask of Object.values(operations(harness.denied))) expect((await expectCode(ask(), "account_denied")).retry).toBe("never");
    });

    it("bears to be asked again for what has happened although the answer was lost", async () => {
      await account.ensureTransform(LADDER, signal);
      const since = harness.now();
      const again = async (ask: () => Promise<unknown>): Promise<void> => {
        harness.refuse({ status: 500, afterEffect: true });
        await expectCode(ask(), "account_failing");
        harness.refuse(null);
        await ask();
      };
      const { ensureTransform, submit, cancel, removeJob, removeAsset } = operations(account);
      for (const ask of [ensureTransform, submit, cancel]) if (ask !== undefined) await again(ask);
      await until("x-a1", "canceled");
      expect(await names("ladder", since)).toEqual(["x-a1"]);
      for (const ask of [removeJob, removeAsset]) if (ask !== undefined) await again(ask);
      expect([await account.job("ladder", "x-a1", signal), harness.hasAsset("x-a1-o0")]).toEqual([null, false]);
    });

    it("ends with the reason of the signal", async () => {
      const reason = new Error("stop");
      for (const ask of Object.values(operations(account, AbortSignal.abort(reason)))) await expect(ask()).rejects.toBe(reason);
    });
  });
}
