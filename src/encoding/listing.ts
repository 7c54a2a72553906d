/** Asks for many jobs at once, where that costs less than one by one. */
import type { Attempt, EncodingJob, Sighting } from "../core/encoding.ts";
import type { Reach } from "./errands.ts";
import { worthListing } from "./polling.ts";

/** Name of an account's job -> what the account says of it. */
export type Answers = ReadonlyMap<string, readonly Sighting[]>;

interface Wanted {
  readonly job: EncodingJob;
  readonly attempt: Attempt;
}

/** Lists the jobs of each account and transform of which many are wanted. What is not in the answers has to be asked for by itself. */
export async function listJobs(wanted: readonly Wanted[], reachOf: (account: string) => Reach | null): Promise<Answers> {
  const answers = new Map<string, readonly Sighting[]>();
  const groups = Map.groupBy(wanted, ({ job, attempt }) => `${attempt.account}\n${job.transform}`);
  await Promise.all([...groups.values()].map(async (group) => listGroup(group, reachOf, answers)));
  return answers;
}

async function listGroup(
  group: readonly Wanted[],
  reachOf: (account: string) => Reach | null,
  answers: Map<string, readonly Sighting[]>,
): Promise<void> {
  const [first] = group;
  // At most those are listed that were created since the oldest of the wanted; how many that are is not known before.
  if (first === undefined || !worthListing(group.length, group.length)) return;
  const reach = reachOf(first.attempt.account);
  if (reach === null) return;
  const since = group.reduce((oldest, { attempt }) => Math.min(oldest, attempt.placedAt), first.attempt.placedAt);
  try {
    await reach.calls.call(async (signal) => {
      for await (const sightings of reach.account.jobs(first.job.transform, since, signal)) {
        const name = sightings[0]?.jobName;
        if (name !== undefined) answers.set(name, sightings);
      }
    });
  } catch {
    // Each is then asked for by itself, and the account judged by that.
  }
}
