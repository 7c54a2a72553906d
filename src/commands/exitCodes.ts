/** How commands end, as a number for scripts: the same for all of them. */
import { CommanderError } from "commander";
import { errorCode } from "../core/errors.ts";

export const EXIT_CODES = {
  /** Done, and everything is as it should be; or `--help`, `--version`, and a stop of what runs until it is stopped. */
  ok: 0,
  /** Something failed, conflicts, or is wrong. */
  wrong: 1,
  /** The arguments or the configuration cannot be used: nothing was done. */
  usage: 2,
  /** Nothing is known to be wrong, and not everything could be told. */
  unknown: 3,
  /** Interrupted by SIGINT (Ctrl-C) or SIGTERM: what was done stays, and the same command goes on. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** For `--help`. README has the same. */
export const EXIT_CODES_HELP = `
Exit codes:
  0    done, and everything is as it should be
  1    something failed, conflicts, or is wrong
  2    the arguments or the configuration cannot be used: nothing was done
  3    verify: nothing is known to be wrong, but not all copies could be looked at
  130  interrupted by Ctrl-C (143: by SIGTERM): the same command goes on
`;

/** Codes of errors by which the arguments or the configuration are refused. */
const USAGE: ReadonlySet<string> = new Set([
  "bad_job",
  "bad_option",
  "bad_options",
  "bad_override",
  "ca_unreadable",
  "config_invalid",
  "country_database",
  "encoding_off",
  "expiry_in_past",
  "expiry_missing",
  "expiry_too_long",
  "last_good_missing",
  "live_running",
  "live_unknown",
  "master_key_invalid",
  "no_key_record",
  "no_queue",
  "no_such_service",
  "not_a_worker",
  "not_configured",
  "nothing_to_replicate",
  "nothing_to_verify",
  "reason_missing",
  "reason_too_long",
  "sandbox_missing",
  "state_missing",
  "transform_unknown",
  "unknown_region",
]);

/** The exit code of a command that ended with an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  return USAGE.has(errorCode(error)) ? EXIT_CODES.usage : EXIT_CODES.wrong;
}
