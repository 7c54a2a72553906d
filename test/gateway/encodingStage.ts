/** Encoding over records in memory, for the admin API. */
import { systemClock as clock, systemRandom as random } from "../../src/core/clock.ts";
import type { EncodingService } from "../../src/core/ports/encodingService.ts";
import type { EncodingStore } from "../../src/core/ports/encodingStore.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { RecordsService } from "../../src/encoding/service.ts";

export function encodingOver(store: EncodingStore): EncodingService {
  return new RecordsService({
    store,
    clock,
    random,
    policy: DEFAULT_POLICY.job,
    transforms: new Map([["ladder", { name: "ladder", description: null, outputs: [{}] }]]),
    accounts: new Map([["west", 3]]),
    inputRegions: new Set(["west"]),
    isDisabled: () => false,
    catalogue: null,
  });
}
