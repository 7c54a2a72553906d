/** What a call is in the accounts of a service: what it is billed as, and which limit it counts towards. Pure. */
import type { Call } from "../../faults/gate.ts";

export const KINDS = [
  "management reads",
  "management actions",
  "management writes",
  "storage reads",
  "storage lists",
  "storage writes",
  "storage copies",
  "table reads",
  "table writes",
  "queue transactions",
  "streaming and keys",
] as const;
export type Kind = (typeof KINDS)[number];

/** What stands where a region's name does at doors to the state: tables and queues are asked by worker. */
export const TABLES = "tables of ";
export const QUEUES = "queues of ";

type Line = Pick<Call, "service" | "region" | "method" | "target" | "copies">;

/** Null for what is no part of replicating: a token, which serves for an hour. */
export function kindOf(call: Line): Kind | null {
  switch (call.service) {
    case "management":
      return call.target.startsWith("/auth/") ? null : managementKind(call.method);
    case "storage":
      return call.region.startsWith(TABLES) || call.region.startsWith(QUEUES) ? stateKind(call) : storageKind(call);
    case "streaming":
    case "keys":
      return "streaming and keys";
  }
}

function managementKind(method: string): Kind {
  if (method === "GET") return "management reads";
  return method === "POST" ? "management actions" : "management writes";
}

function storageKind({ method, target, copies }: Line): Kind {
  if (copies) return "storage copies";
  if (/[?&]comp=list(?:&|$)/.test(target)) return "storage lists";
  return method === "GET" || method === "HEAD" ? "storage reads" : "storage writes";
}

function stateKind({ region, method }: Line): Kind {
  if (region.startsWith(QUEUES)) return "queue transactions";
  return method === "GET" ? "table reads" : "table writes";
}

/** True where a worker asks the queue for work. */
export function asksForWork({ region, method, target }: Line): boolean {
  return region.startsWith(QUEUES) && method === "GET" && /\/messages(?:\?|$)/.test(target);
}

/** Calls by kind; blobs by how often they were copied. */
export class CallTally {
  readonly #kinds = new Map<Kind, number>();
  readonly #copies = new Map<string, number>();

  note(call: Line): void {
    const kind = kindOf(call);
    if (kind === null) return;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    const [path = ""] = call.target.split("?", 1);
    if (kind === "storage copies") this.#copies.set(path, (this.#copies.get(path) ?? 0) + 1);
  }

  of(kind: Kind): number {
    return this.#kinds.get(kind) ?? 0;
  }

  get copiedTwice(): number {
    return [...this.#copies.values()].filter((times) => times > 1).length;
  }
}
