/** Pure: how much an account gets done, and how much of it goes wrong, from what ended in it lately. */
import type { AccountState } from "../core/encoding.ts";
import type { AccountRates } from "../core/ports/encodingService.ts";
import type { AccountPolicy } from "./policy.ts";

const HOUR_MS = 3_600_000;
/** Two jobs in the first ten seconds are not 720 an hour. */
const LEAST_MS = 5 * 60_000;

export function ratesOf(state: AccountState, policy: Pick<AccountPolicy, "windowMs">, now: number): AccountRates {
  const windowMs = countedMs(state, policy.windowMs, now);
  const recent = state.buckets.filter(({ at }) => at > now - policy.windowMs);
  const sum = (of: "well" | "failed" | "stuck"): number => recent.reduce((total, bucket) => total + bucket[of], 0);
  const [finished, failed, stuck] = [sum("well"), sum("failed"), sum("stuck")];
  const ended = finished + failed + stuck;
  const finishedPerHour = Math.round((finished * HOUR_MS * 10) / windowMs) / 10;
  return { windowMs, finished, failed, stuck, finishedPerHour, failureShare: ended === 0 ? null : (failed + stuck) / ended };
}

/** Its return begins the count anew. */
function countedMs({ status, since }: AccountState, windowMs: number, now: number): number {
  return status === "in" ? Math.min(windowMs, Math.max(LEAST_MS, now - since)) : windowMs;
}
