/** What the handlers of all entities share. */
import type { Clock, Random } from "../../core/clock.ts";
import type { StorageAddress } from "../contracts.ts";
import { notFound } from "./errors.ts";
import type { AccountIdentity } from "./resources.ts";
import type { MediaAccountStore } from "./store.ts";
import type { EmulatorSwitches } from "./switches.ts";
import { instantNow, type Instant, type Stamp } from "./times.ts";

/** The blob containers of the account's storage. `create` accepts a container that exists; `delete` one that does not. */
export interface Containers {
  create(name: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** What goes on air in the place of an ingest, which nobody takes here. `container` is null where the asset is not there. */
export interface LiveSignal {
  begin(container: string | null, manifestName: string): Promise<void>;
  /** What was on air stays as a recording. */
  end(container: string | null, manifestName: string): Promise<void>;
}

export interface ManifestTrack {
  readonly name: string;
  readonly kind: "video" | "audio";
}

export interface EmulatorDeps {
  readonly account: AccountIdentity;
  /** `westeurope` or `West Europe`. */
  readonly location: string;
  readonly storage: StorageAddress;
  readonly containers: Containers;
  readonly clock: Clock;
  readonly random: Random;
  readonly switches: EmulatorSwitches;
  /** Host names (with port) that the streaming endpoint and the key delivery of the region answer at. */
  readonly hosts: { readonly streaming: string; readonly keys: string };
  /** Name of the server manifest in the asset's container without `.ism`; null while there is none. */
  readonly manifestName: (assetName: string) => Promise<string | null>;
  /** The tracks that the server manifest names; left out: none are listed. */
  readonly manifestTracks?: (assetName: string) => Promise<readonly ManifestTrack[]>;
  /** Whether a file is in the asset's container; left out: every file is. */
  readonly fileExists?: (assetName: string, fileName: string) => Promise<boolean>;
  /** Left out: live outputs put nothing into their assets. */
  readonly liveSignal?: LiveSignal;
}

export interface Emulator extends EmulatorDeps {
  readonly store: MediaAccountStore;
}

export function now(emulator: Emulator): Instant {
  return instantNow(emulator.clock, emulator.random);
}

/** For a new entity, or for a changed one with the time it was made. */
export function stampOf(emulator: Emulator, existing?: { readonly stamp: Stamp }): Stamp {
  const modified = now(emulator);
  return { created: existing?.stamp.created ?? modified, modified };
}

/** Throws the service's 404 for what is not there. */
export function found<T>(entity: T | undefined): T {
  if (entity === undefined) throw notFound();
  return entity;
}
