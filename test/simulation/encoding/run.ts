/**
 * Encoding in simulated time: 10,000 jobs over three accounts and a week, in which a region is out for six hours, another one jams, events are
 * lost and doubled, and workers are killed. Beside it the same by the rules of Microsoft's reference sample.
 */
import { progress, runBench, type Figure } from "../../bench/frame.ts";
import { versionsOf } from "../../bench/process.ts";
import { DEFAULT_POLICY } from "../../../src/encoding/policy.ts";
import { runOurs, SIMULATED_TIMES, type Outcome } from "./ours.ts";
import { runReferenceSample } from "./referenceSample.ts";
import { scenarioOf } from "./scenario.ts";

const SEED = 2026;
const PEER = "reference sample";

/** The longest that it takes to find a region out that does not answer: as many pings as it takes, each as late and as long as may be. */
function detectionMs(): number {
  const { pingMs, fall } = DEFAULT_POLICY.account;
  return fall * (pingMs + SIMULATED_TIMES.callMs + SIMULATED_TIMES.exchangeMs);
}

const SHOWN: readonly (readonly [name: string, unit: string, of: (outcome: Outcome) => number])[] = [
  ["jobs not final, or nobody told", "jobs", ({ lost }) => lost],
  ["jobs published twice", "jobs", ({ publishedTwice }) => publishedTwice],
  ["jobs with a good input that failed", "jobs", ({ goodFailed }) => goodFailed],
  ["region lost: last job resubmitted, beyond the detection limit", "s", ({ movedMs }) => (movedMs - detectionMs()) / 1000],
  ["jobs in an account beyond its capacity", "jobs", ({ overCapacity }) => overCapacity],
  ["region back: used again", "s", ({ outageReadmittedMs }) => outageReadmittedMs / 1000],
  ["jam over: account used again", "s", ({ jamReadmittedMs }) => jamReadmittedMs / 1000],
  ["encodes per job", "", ({ encodes, jobs }) => encodes / jobs],
];

await runBench("sim-encoding", async ({ quick, rounds }) => {
  const figures: Figure[] = [];
  const notes: string[] = [`detection limit: ${detectionMs() / 1000} s; times are simulated`];
  const size = quick ? { jobs: 600, days: 1 } : { jobs: 10_000, days: 7 };
  const outcomes: (readonly [Outcome, Outcome])[] = [];
  for (let round = 0; round < (rounds ?? 1); round += 1) {
    const scenario = scenarioOf({ seed: SEED + round, ...size });
    progress(`seed ${scenario.seed}: ${size.jobs} jobs in ${size.days} days`);
    const ours = await runOurs(scenario);
    const theirs = await runReferenceSample(scenario);
    outcomes.push([ours, theirs]);
    notes.push(...ours.notes, ...theirs.notes);
  }
  for (const [name, unit, of] of SHOWN) {
    const worst = (which: 0 | 1): number => Math.max(...outcomes.map((pair) => of(pair[which])));
    figures.push({ name, value: worst(0), unit, peers: { [PEER]: worst(1) } });
  }
  const affected = outcomes.reduce((sum, [ours]) => sum + ours.affected, 0);
  notes.push(
    `${outcomes.reduce((sum, [{ finished }]) => sum + finished, 0)} jobs finished; ${affected} were in the region when it was lost`,
  );
  return { versions: versionsOf([]).versions, figures, notes };
});
