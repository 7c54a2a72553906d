/** Encoding over records in memory, for the admin API. */
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import type { EncodingService } from "../../src/core/ports/encodingService.ts";
import type { EncodingStore } from "../../src/core/ports/encodingStore.ts";
import type { MediaAccount } from "../../src/core/ports/media.ts";
import { InputUploads } from "../../src/encoding/inputUploads.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { RecordsService, type RecordsServiceOptions } from "../../src/encoding/service.ts";

/** Files are uploaded into `regions`. */
export function encodingOver(
  store: EncodingStore,
  regions: ReadonlyMap<string, MediaAccount> = new Map(),
  changes: Partial<RecordsServiceOptions> = {},
): EncodingService {
  return new RecordsService({
    store,
    clock,
    random,
    policy: DEFAULT_POLICY,
    transforms: new Map([["ladder", { name: "ladder", description: null, outputs: [{}] }]]),
    accounts: new Map([["west", 3]]),
    inputRegions: new Set(["west"]),
    overridden: () => null,
    catalogue: null,
    uploads: {
      uploads: new InputUploads({ regions, clock, log: silentLog }),
      regions: [...regions.keys()],
      copies: 2,
      maxBytes: 1_000,
      log: silentLog,
    },
    log: silentLog,
    ...changes,
  });
}
