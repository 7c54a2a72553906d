/** `paircast undrain`: lifts overrides before their time. */
import type { Override } from "../core/contracts.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import { changeByAdmin, type AdminOptions } from "./adminClient.ts";
import { operator } from "./drain.ts";
import { describeOverride, readOverrides } from "./overrides.ts";
import type { Terminal } from "./terminal.ts";

export interface LiftOptions extends AdminOptions {
  readonly json: boolean;
  /** Null: whatever services they are for. */
  readonly service: string | null;
  readonly by: string | null;
}

/** `target`: a region, all of whose overrides are lifted, or the id of one. Throws `unknown_override` where nothing matches. */
export async function undrain(terminal: Terminal, target: string, options: LiftOptions): Promise<void> {
  const { now, overrides } = await readOverrides(options, 1);
  const chosen = overrides.filter(
    ({ id, region, service }) => (id === target || region === target) && (options.service === null || service === options.service),
  );
  if (chosen.length === 0) throw nothingToLift(target, overrides, now);
  const lifted: Override[] = [];
  for (const { id } of chosen) {
    const override = await lift(id, options);
    if (override !== null) lifted.push(override);
  }
  if (options.json) terminal.print(JSON.stringify({ lifted }));
  else for (const { kind, region, service, reason } of lifted) terminal.print(`lifted ${kind} of ${region} (${service}): ${reason}`);
}

/** Null where it ended in the meantime, which is what was wanted. */
async function lift(id: string, options: LiftOptions): Promise<Override | null> {
  const path = `/api/overrides/${encodeURIComponent(id)}?by=${encodeURIComponent(operator(options.by))}`;
  try {
    return ((await changeByAdmin(options, path, { method: "DELETE" })) as { override: Override }).override;
  } catch (error) {
    if (errorCode(error) === "unknown_override") return null;
    throw error;
  }
}

function nothingToLift(target: string, overrides: readonly Override[], now: number): PaircastError {
  const list = overrides.map((override) => `\n  ${describeOverride(override, now)}`).join("");
  const inForce = overrides.length === 0 ? "no override is in force" : `in force are:${list}`;
  return new PaircastError("unknown_override", `${target}: no region or id of an override like this; ${inForce}`);
}
