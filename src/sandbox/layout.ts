/** Names, addresses and ports of the sandbox. Each region has a loopback address of its own: players and browsers treat a host as one. */
import { PaircastError } from "../core/errors.ts";
import { SANDBOX_SERVICES, type SandboxService } from "./contracts.ts";

export interface RegionLayout {
  readonly name: string;
  /** What Azure calls the location in bodies. */
  readonly location: string;
  readonly host: string;
  readonly ports: Readonly<Record<SandboxService, number>>;
  readonly storageAccount: string;
  readonly mediaAccount: string;
}

export interface SandboxLayout {
  readonly gateway: number;
  readonly admin: number;
  readonly control: number;
  /** Where the gateway takes the events of Event Grid. */
  readonly events: number;
  readonly regions: readonly RegionLayout[];
}

const HOME = "127.0.0.1";
const REGIONS = [
  { name: "westeurope", location: "West Europe", host: "127.0.0.11", storageAccount: "paircastwesteurope", mediaAccount: "paircastwe" },
  { name: "northeurope", location: "North Europe", host: "127.0.0.12", storageAccount: "paircastnortheurope", mediaAccount: "paircastne" },
] as const;

/** The host of gateway, admin and control. */
export const homeHost: string = HOME;

/** Default ports; moved by `--port-base N`; or any free ones for `--port-base 0`. Throws `bad_option` for anything else. */
export function sandboxLayout(portBase: string | null): SandboxLayout {
  if (portBase === null) return layout({ gateway: 8080, admin: 9090, control: 8090, events: 8091 }, 8081);
  const base = Number(portBase);
  if (!Number.isInteger(base) || base < 0 || (base > 0 && base < 1024) || base > 65_500) {
    throw new PaircastError("bad_option", `--port-base ${portBase}: write a number from 1024 to 65500, or 0 for free ports`);
  }
  if (base === 0) return layout({ gateway: 0, admin: 0, control: 0, events: 0 }, 0);
  return layout({ gateway: base, admin: base + 1, control: base + 2, events: base + 3 }, base + 10);
}

function layout(home: Pick<SandboxLayout, "gateway" | "admin" | "control" | "events">, first: number): SandboxLayout {
  const ports = Object.fromEntries(SANDBOX_SERVICES.map((service, at) => [service, first === 0 ? 0 : first + at]));
  return { ...home, regions: REGIONS.map((region) => ({ ...region, ports: ports as Record<SandboxService, number> })) };
}
