/** `paircast overrides`: what operators have set, and what was done lately. */
import type { Override } from "../core/contracts.ts";
import type { OverrideEvent } from "../core/ports/overrides.ts";
import { askAdmin, type AdminOptions } from "./adminClient.ts";
import type { Terminal } from "./terminal.ts";

/** The answer of `/api/overrides`. */
export interface OverridesAnswer {
  readonly now: number;
  readonly overrides: readonly Override[];
  readonly audit: readonly OverrideEvent[];
}

const AUDIT_SHOWN = 10;

export async function overrides(terminal: Terminal, options: AdminOptions & { readonly json: boolean }): Promise<void> {
  const answer = await readOverrides(options, AUDIT_SHOWN);
  if (options.json) {
    terminal.print(JSON.stringify(answer));
    return;
  }
  const { now, overrides: active, audit } = answer;
  if (active.length === 0) terminal.print("no override is in force");
  for (const override of active) terminal.print(describeOverride(override, now));
  if (audit.length > 0) terminal.print("lately:");
  for (const { at, action, override, by } of audit)
    terminal.print(`  ${time(at)}  ${action} by ${by}: ${override.kind} ${override.region} (${override.service}): ${override.reason}`);
}

export async function readOverrides(options: AdminOptions, limit: number): Promise<OverridesAnswer> {
  return (await askAdmin(options, `/api/overrides?limit=${limit}`)) as OverridesAnswer;
}

/** One line: what, until when, why, by whom, and the id to lift it by. */
export function describeOverride({ id, kind, region, service, reason, by, expiresAt, forced = false }: Override, now: number): string {
  const name = service === "all" ? region : `${region} ${service}`;
  const subject = forced ? `${name} (well or ill)` : name;
  return `${kind.padEnd(8)} ${subject}  for another ${remaining(expiresAt - now)}, until ${time(expiresAt)}: ${reason} (${by}; id ${id})`;
}

function time(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

function remaining(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
