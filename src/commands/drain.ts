/** `paircast drain` and `paircast pin`: an operator's word, at a running gateway and every other one that shares its state. */
import { userInfo } from "node:os";
import type { Override, OverrideKind } from "../core/contracts.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import { changeByAdmin, type AdminOptions } from "./adminClient.ts";
import { describeOverride } from "./overrides.ts";
import type { Terminal } from "./terminal.ts";

export interface SetOptions extends AdminOptions {
  readonly json: boolean;
  readonly kind: OverrideKind;
  readonly service: string;
  readonly reason: string;
  /** A duration with its unit. */
  readonly duration: string;
  readonly force: boolean;
  /** Null: the user of this machine. */
  readonly by: string | null;
}

/** Throws with the gateway's own code where it refuses: `last_eligible`, `unknown_region`, `expiry_too_long`, … */
export async function setOverride(terminal: Terminal, region: string, options: SetOptions): Promise<void> {
  const { kind, service, reason, duration, force, json } = options;
  const body = { kind, region, service, reason, duration, force, by: operator(options.by) };
  const answer = await changeByAdmin(options, "/api/overrides", { method: "POST", body }).catch((error: unknown) => {
    throw FORCEABLE.includes(errorCode(error)) ? withHint(error) : error;
  });
  const { override } = answer as { override: Override };
  terminal.print(json ? JSON.stringify(answer) : describeOverride(override, override.createdAt));
}

/** Who does it, for the audit: as given, or as this machine names its user. */
export function operator(given: string | null): string {
  if (given !== null) return given;
  try {
    return /^[\w.@-]{1,64}$/.exec(userInfo().username)?.[0] ?? "command line";
  } catch {
    // A container may run under a user id without a name.
    return "command line";
  }
}

/** Refusals of the gateway that `--force` sets aside. */
const FORCEABLE: readonly string[] = ["last_eligible", "unhealthy"];

function withHint(error: unknown): PaircastError {
  const message = error instanceof Error ? error.message : String(error);
  return new PaircastError(errorCode(error), `refused: ${message.replace("; force it if you mean it", "")}. Add --force if you mean it.`, {
    cause: error,
  });
}
