/** Pure: operators' words on a region, as far as its account is concerned. */
import type { Override } from "../core/contracts.ts";
import type { AccountOverride } from "../core/encoding.ts";

/** A word on encoding, or on the region as a whole; one on streaming or keys is nothing to encoding, and neither is a pin. A disable goes first. */
export function accountOverride(active: readonly Override[], account: string): AccountOverride | null {
  const own = active.filter(({ region, service }) => region === account && (service === "encoding" || service === "all"));
  if (own.some(({ kind }) => kind === "disable")) return "disable";
  return own.some(({ kind }) => kind === "drain") ? "drain" : null;
}
