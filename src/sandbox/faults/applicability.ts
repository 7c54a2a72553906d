/** Which fault can befall which service: some are matters of the connection, some of what a service answers. */
import { SANDBOX_SERVICES, type FaultKind, type SandboxService } from "../contracts.ts";

const ONLY: Readonly<Partial<Record<FaultKind, readonly SandboxService[]>>> = {
  "missing-segments": ["streaming"],
  stale: ["streaming"],
  "wrong-key": ["keys"],
  "short-key": ["keys"],
};

/** The services that can have this fault; `expired-cert` in addition wants TLS there. */
export function servicesFor(kind: FaultKind): readonly SandboxService[] {
  return ONLY[kind] ?? SANDBOX_SERVICES;
}
