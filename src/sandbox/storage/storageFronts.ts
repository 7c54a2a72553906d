/** All storage fronts of a sandbox: how a URL at one region's storage is found in the one Azurite behind them, and back. */
import { percentDecoded } from "../../core/percent.ts";
import type { Fault, FaultKind, FaultView } from "../contracts.ts";
import { cannotVerifyCopySource, type BlobError } from "./blobError.ts";
import type { HeldCopies } from "./heldCopies.ts";

export interface KnownFront {
  readonly origin: string;
  readonly accountName: string;
  readonly faults: FaultView;
  readonly copies: HeldCopies;
}

/** Faults under which another service cannot read a blob. */
const UNREADABLE: ReadonlySet<FaultKind> = new Set(["refuse", "blackhole", "reset", "status", "half-body", "html", "expired-cert"]);

export class StorageFronts {
  readonly azuriteUrl: string;
  readonly #fronts: KnownFront[] = [];

  constructor(azuriteUrl: string) {
    this.azuriteUrl = azuriteUrl;
  }

  add(front: KnownFront): void {
    this.#fronts.push(front);
  }

  remove(origin: string): void {
    const at = this.#fronts.findIndex((front) => front.origin === origin);
    if (at >= 0) this.#fronts.splice(at, 1);
  }

  /**
   * The address at Azurite of a copy source at a region's front, or the error that a service gives whose source cannot be read.
   * What is not at a front stays as it is; Azurite refuses it, as it reads its own blobs only.
   */
  copySource(source: string): string | BlobError {
    const url = URL.canParse(source) ? new URL(source) : null;
    const front = this.#fronts.find(({ origin }) => origin === url?.origin);
    if (url === null || front === undefined) return source;
    const [, account = "", container = "", ...blob] = url.pathname.split("/");
    const failed = sourceFailure(front.faults.current());
    if (failed !== null) return cannotVerifyCopySource(failed);
    if (account !== front.accountName) return cannotVerifyCopySource(404);
    if (front.copies.status(`${container}/${decoded(blob.join("/"))}`) !== "success") return cannotVerifyCopySource(409);
    return `${this.azuriteUrl}${url.pathname}${url.search}`;
  }

  /** Azurite's addresses in a text, replaced by those of the fronts. */
  publicText(text: string): string {
    let result = text;
    for (const { accountName, origin } of this.#fronts) {
      result = result.replaceAll(`${this.azuriteUrl}/${accountName}`, `${origin}/${accountName}`);
    }
    return result;
  }
}

/** The status that reading from a service with this fault gives to another service; null where it can be read. */
function sourceFailure(fault: Fault | null): number | null {
  if (fault === null || !UNREADABLE.has(fault.kind)) return null;
  return fault.kind === "status" && fault.status >= 400 && fault.status < 500 ? fault.status : 503;
}

function decoded(path: string): string {
  return percentDecoded(path) ?? path;
}
