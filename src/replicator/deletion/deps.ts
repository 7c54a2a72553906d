/** What carrying deletions over is given. */
import type { DeletionStore } from "../../core/ports/deletions.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { JobDeps } from "../jobDeps.ts";
import type { DeletionPolicy } from "./decide.ts";

export interface DeletionDeps extends JobDeps {
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  readonly deletions: DeletionStore;
  /** Regions whose publications are carried. */
  readonly sources: readonly string[];
  /** Regions to carry them to. */
  readonly targets: readonly string[];
  readonly policy: DeletionPolicy;
  /** Whether an asset that nobody publishes any more goes with its locators, files and all. */
  readonly assets: boolean;
}
