/** `npm run test:faults:replication` in small: through the real adapters, against Azurite and the emulator. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PlannedFault } from "../faults/schedule.ts";
import { startTrials, tryOut, undisturbedRun, type TrialStage } from "../faults/trial.ts";

let stage: TrialStage;
let expected: Awaited<ReturnType<typeof undisturbedRun>>;

/** Not as many as in the command: deadlines of half a minute become so short then that a machine that is held up misses them. */
const HURRY = 5;

beforeAll(async () => {
  stage = await startTrials({ assets: 1, large: 100_000, protections: ["token and filters"] }, HURRY);
  expected = await undisturbedRun(stage);
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const FAULTS: readonly PlannedFault[] = [
  { operation: "management north PUT streamingLocators/*", nth: 1, fault: "no effect", variant: 0 },
  { operation: "management north GET streamingLocators/*", nth: 1, fault: "429", variant: 0 },
  { operation: "management west POST streamingLocators/*/listContentKeys", nth: 1, fault: "wrong body", variant: 2 },
  { operation: "management west POST contentKeyPolicies/*/getPolicyPropertiesWithSecrets", nth: 1, fault: "wrong body", variant: 1 },
  { operation: "storage north PUT blob from URL", nth: 1, fault: "wrong bytes", variant: 0 },
  { operation: "storage north GET container list", nth: 1, fault: "truncated", variant: 0 },
  // Its blocks stay behind, and the next process copies it in one request.
  { operation: "storage north PUT blob blocklist", nth: 2, fault: "409", variant: 0 },
];

it.each(FAULTS)(
  "$fault ($variant) at $operation no. $nth: no success is reported that is none, and the next pass makes it well",
  async (fault) => {
    expect(expected.operations.get(fault.operation)).toBeGreaterThan(0);
    const schedule = { name: "one", faults: [fault] };
    const { met, contradicted, unverifiedVisible, differing, hasty, secrets } = await tryOut(stage, schedule, expected.end);
    expect(met).toBe(1);
    expect({ contradicted, unverifiedVisible, differing, hasty, secrets }).toEqual({
      contradicted: [],
      unverifiedVisible: [],
      differing: [],
      hasty: [],
      secrets: 0,
    });
  },
);
