/**
 * A million changed samples for our own parsers. None may throw anything but its documented errors, take long, or answer what its contract
 * rules out. `FUZZ_SEED` draws others, `FUZZ_SCALE` more or fewer; a failure names the seed and the input.
 */
import { afterAll, describe, expect, it } from "vitest";
import { hashText } from "../../src/gateway/order/hash.ts";
import { BYTE_TARGETS, MANIFEST_TARGETS } from "./manifestTargets.ts";
import { mulberry32, mutatedBytes, mutatedText, type Draw } from "./mutate.ts";
import { REWRITE_TARGETS } from "./rewriteTargets.ts";
import { TEXT_TARGETS } from "./textTargets.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_260_101);
const SCALE = Number(process.env["FUZZ_SCALE"] ?? 1);
/** Far above any honest case, far below a parser that does not end. Of the processor: a machine that is held up makes every case long. */
const LONGEST_MS = 2_000;
const TARGET_MS = 180_000;

const TEXTS = [...TEXT_TARGETS, ...MANIFEST_TARGETS, ...REWRITE_TARGETS];
const TARGETS = [...TEXTS, ...BYTE_TARGETS];
let done = 0;
const started = process.cpuUsage();

/** Every case has numbers of its own, so that it is the same whatever came before it. */
function drawFor(target: string, index: number): Draw {
  return mulberry32(hashText(`${SEED} ${target} ${index}`));
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1_000;
}

function run<T>(name: string, cases: number, make: (draw: Draw) => T, check: (input: T, draw: Draw) => void): void {
  const count = Math.ceil(cases * SCALE);
  for (let index = 0; index < count; index += 1) {
    const draw = drawFor(name, index);
    const input = make(draw);
    const since = process.threadCpuUsage();
    try {
      check(input, draw);
      const ms = cpuMs(since);
      if (ms > LONGEST_MS) throw new Error(`took ${Math.round(ms)} ms`);
    } catch (cause) {
      const shown = Buffer.isBuffer(input) ? input.toString("base64") : JSON.stringify(input);
      throw new Error(`${name}, FUZZ_SEED=${SEED}, case ${index}: ${shown}`, { cause });
    }
    done += 1;
  }
}

describe("whatever comes", () => {
  it.each(TEXTS)("$name: $cases cases", { timeout: TARGET_MS }, ({ name, cases, check, ...source }) => {
    run(name, cases, (draw) => mutatedText(source, draw), check);
  });

  it.each(BYTE_TARGETS)("$name: $cases cases", { timeout: TARGET_MS }, ({ name, cases, samples, check }) => {
    run(name, cases, (draw) => mutatedBytes(samples, draw), check);
  });

  it("is a million cases", () => {
    expect(TARGETS.reduce((sum, { cases }) => sum + cases, 0)).toBeGreaterThanOrEqual(1_000_000);
  });
});

afterAll(() => {
  const { user, system } = process.cpuUsage(started);
  console.log(`fuzz: ${done} cases of ${TARGETS.length} parsers, seed ${SEED}, ${((user + system) / 1e6).toFixed(1)} s of CPU`);
});
