/** How a region of a configuration is rebuilt: from another region, or from the record of keys. */
import { canReplicate } from "../core/config/rules.ts";
import { PaircastError } from "../core/errors.ts";
import { amsRebuildDriver, staticRebuildDriver } from "../replicator/rebuild/drivers.ts";
import { RECORD } from "../replicator/rebuild/plan.ts";
import { rebuildRegion, type RebuildSummary } from "../replicator/rebuild/rebuild.ts";
import type { Foundations } from "./foundations.ts";

export interface RebuildRequest {
  readonly region: string;
  /** A region, or `record`; null: whatever has it. */
  readonly from: string | null;
  readonly filesInPlace: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** Throws `unknown_region`, `not_configured`, `no_key_record`, `nothing_lost`, `target_unreachable` or `source_unreachable`. */
export async function rebuild(foundations: Foundations, request: RebuildRequest, stop: AbortSignal): Promise<RebuildSummary> {
  const { config, jobs, accounts, libraries, keyRecords } = foundations;
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  refuseUnknown(foundations, request, able);
  const { region } = request;
  const isStatic = libraries.has(region);
  const others = able.filter((name) => name !== region && libraries.has(name) === isStatic);
  const isTarget = (config.replication.targets ?? able).includes(region);
  const driver = isStatic ? staticRebuildDriver({ ...jobs, libraries }) : amsRebuildDriver({ ...jobs, accounts }, keyRecords);
  return rebuildRegion(jobs, driver, { ...request, others, isTarget }, stop);
}

function refuseUnknown({ config, libraries }: Foundations, { region, from, filesInPlace }: RebuildRequest, able: readonly string[]): void {
  const names = config.regions.map(({ name }) => name);
  if (from === RECORD && names.includes(RECORD))
    throw new PaircastError("not_configured", `a region is named ${RECORD}, so it is not clear what to rebuild from: rename the region`);
  refuseRegion(region, names, able);
  if (from !== null && from !== RECORD) refuseRegion(from, names, able);
  if (region === from)
    throw new PaircastError("unknown_region", `rebuild ${region}: name another region after --from than the one that is rebuilt`);
  const needsRecord = from === RECORD || filesInPlace;
  if (needsRecord && libraries.has(region))
    throw new PaircastError(
      "no_key_record",
      `rebuild ${region}: it is of the static driver, whose keys are files like the others; rebuild it from a region`,
    );
}

function refuseRegion(name: string, names: readonly string[], able: readonly string[]): void {
  if (!names.includes(name)) throw new PaircastError("unknown_region", `no region is named ${name}; regions are ${names.join(", ")}`);
  if (!able.includes(name))
    throw new PaircastError(
      "not_configured",
      `region ${name} has neither a media account nor storage, so nothing can be copied there or from there`,
    );
}
