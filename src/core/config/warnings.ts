/** What a valid configuration is better without, or better with. Nothing is refused for it. */
import { pathText } from "./problems.ts";
import type { Config, RegionConfig } from "./schema.ts";

export interface ConfigWarning {
  /** Where, as in `regions[0].canary`. */
  readonly path: string;
  readonly message: string;
}

export function configWarnings({ regions }: Config): ConfigWarning[] {
  return regions.flatMap((region, at) =>
    provesLittle(region) ? [{ path: pathText(["regions", at]), message: littleProven(region) }] : [],
  );
}

/** Nothing is ever verified there, so nothing else is there to ask for. */
function provesLittle({ account, canary, canaries = [] }: RegionConfig): boolean {
  if (account.driver !== "static" || account.storage !== undefined) return false;
  return [canary, ...canaries].every((each) => each?.manifest === undefined);
}

function littleProven({ name, streaming }: RegionConfig): string {
  return `region ${name} has neither account.storage nor a canary, so its probe can ask for ${streaming}/ only, which proves that a server answers but not that videos play: name a video there as canary.manifest`;
}
