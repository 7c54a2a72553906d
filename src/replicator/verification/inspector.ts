/** How the copies of one kind of account are looked at and made good again. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { BlobContainer } from "../../core/ports/storage.ts";
import type { JobIdentity } from "../job.ts";
import type { JobContext, JobResult } from "../runJob.ts";
import type { ServingChecks } from "../serving.ts";
import type { Finding } from "../verdict.ts";
import type { Problem } from "./consequences.ts";

/** One published locator of the asset. */
export interface InspectedVideo {
  /** As the catalogue has it. */
  readonly entry: CatalogueEntry;
  /** Asks the region for it as a player would. Changes nothing. */
  play(checks: ServingChecks): Promise<readonly Finding[]>;
}

/** What management planes and catalogue say of an asset in its source and in the region of one of its copies. */
export interface Inspection {
  /** Those that the catalogue has, of this source. */
  readonly videos: readonly InspectedVideo[];
  readonly problems: readonly Problem[];
  /** Null where a side has none: a problem says so. For the original, both are the same. */
  readonly source: BlobContainer | null;
  readonly target: BlobContainer | null;
}

/**
 * - `inspect` reads entities and changes nothing; it rejects where a region cannot be asked.
 * - `container` opens the asset's container in a region, null where the region has none.
 * - `replicate` is the asset's ordinary job: what is missing is carried, what the catalogue says is damaged is copied again.
 */
export interface Inspector {
  readonly regions: ReadonlySet<string>;
  inspect(context: JobContext): Promise<Inspection>;
  container(region: string, context: JobContext): Promise<BlobContainer | null>;
  replicate(identity: JobIdentity, stop?: AbortSignal): Promise<JobResult>;
}
