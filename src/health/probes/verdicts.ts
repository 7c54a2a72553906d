/** Joins what several looks of one probe found into one verdict. */
import type { Signal } from "../../core/contracts.ts";
import type { Finding } from "./probe.ts";

/** One look, with the name of what was looked at; null where there was only one thing to look at. */
export interface NamedFinding {
  readonly name: string | null;
  readonly finding: Finding;
}

/** Good when all are; else the first failure, named. Every kind of signal once. */
export function joined(findings: readonly NamedFinding[]): Finding {
  for (const { name, finding } of findings) if (!finding.ok) return { ...finding, detail: named(name, finding.detail) };
  const good = findings.flatMap(({ finding }) => (finding.ok ? [finding] : []));
  const signals = new Map<Signal["kind"], Signal>();
  for (const { signals: seen = [] } of good) for (const signal of seen) if (!signals.has(signal.kind)) signals.set(signal.kind, signal);
  const times = good.flatMap(({ lookAgainMs }) => lookAgainMs ?? []);
  return {
    ok: true,
    detail: findings.map(({ name, finding }) => named(name, finding.detail)).join("; "),
    ...(signals.size === 0 ? {} : { signals: [...signals.values()] }),
    ...(times.length === 0 ? {} : { lookAgainMs: Math.min(...times) }),
  };
}

function named(name: string | null, detail: string): string {
  return name === null ? detail : `canary ${name}: ${detail}`;
}
