import type { LiveSettings, LiveState } from "../live.ts";

/** What an event is made from. */
export interface LiveEventSpec extends LiveSettings {
  readonly name: string;
  /** A GUID that becomes part of the ingest addresses: a secret. */
  readonly accessToken: string;
}

export interface LiveEvent extends LiveSettings {
  readonly name: string;
  readonly state: LiveState;
  /** Where the encoder sends to: secrets, for they hold the access token. Empty where the service does not say before the event runs. */
  readonly ingest: readonly { readonly protocol: string; readonly url: string }[];
  /** Not for viewers. */
  readonly preview: readonly string[];
  /** As the service has it; a secret. */
  readonly accessToken: string | null;
  /** Made by us: its description says so. */
  readonly isOurs: boolean;
}

export interface LiveOutput {
  readonly name: string;
  readonly assetName: string;
  readonly manifestName: string | null;
  readonly archiveMs: number | null;
}

export interface LiveOutputSpec extends LiveOutput {
  readonly manifestName: string;
  readonly archiveMs: number;
}

/**
 * The live events of one region's media account.
 * - `event` is null for what is not there, and `outputs` of it are none. `events` yields every live event of the account.
 * - `createEvent` makes it stopped, at a host name that stays; `createOutput` begins to record into an asset that is there. Both resolve when the
 *   service has made it, and throw `live_exists` (retry class `conflict`) for what is there already: nothing is replaced.
 * - `start` resolves when the event runs, `stop` when it is stopped. Each waits for what is under way before, and does nothing where that is so
 *   already. For an event that is not there they throw `live_missing` (never). What its outputs have recorded stays.
 * - `deleteOutput` and `deleteEvent` resolve when it is gone, also where there is none. An event that is not stopped, or has outputs, is not
 *   deleted: `account_rejected`.
 * - Errors are those of `EncodingAccount`: `account_unreachable`, `account_failing`, `account_throttled` (retry), `account_denied`,
 *   `account_rejected` (never). None of them holds an access token. A `signal` that aborts rejects with its reason.
 */
export interface LiveAccount {
  readonly region: string;
  event(name: string, signal: AbortSignal): Promise<LiveEvent | null>;
  events(signal: AbortSignal): AsyncIterable<LiveEvent>;
  createEvent(spec: LiveEventSpec, signal: AbortSignal): Promise<void>;
  start(name: string, signal: AbortSignal): Promise<void>;
  stop(name: string, signal: AbortSignal): Promise<void>;
  deleteEvent(name: string, signal: AbortSignal): Promise<void>;
  outputs(event: string, signal: AbortSignal): Promise<readonly LiveOutput[]>;
  createOutput(event: string, spec: LiveOutputSpec, signal: AbortSignal): Promise<void>;
  deleteOutput(event: string, name: string, signal: AbortSignal): Promise<void>;
}
