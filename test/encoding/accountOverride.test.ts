import { expect, it } from "vitest";
import { OVERRIDE_KINDS, OVERRIDE_SERVICES, type Override } from "../../src/core/contracts.ts";
import { accountOverride } from "../../src/encoding/accountOverride.ts";
import { anOverride } from "../conformance/overrideStore.ts";

const active = (kind: Override["kind"], service: Override["service"], region = "west"): Override =>
  anOverride(`${kind}-${region}-${service}`, { kind, region, service });

it("is an operator's word on encoding or on all of its region, and none on what viewers use", () => {
  const words = OVERRIDE_SERVICES.flatMap((service) =>
    OVERRIDE_KINDS.map((kind) => [`${kind} ${service}`, accountOverride([active(kind, service)], "west")] as const),
  );
  expect(words.filter(([, word]) => word !== null)).toEqual([
    ["drain encoding", "drain"],
    ["disable encoding", "disable"],
    ["drain all", "drain"],
    ["disable all", "disable"],
  ]);
  expect(accountOverride([active("drain", "all"), active("disable", "encoding")], "west")).toBe("disable");
  expect(accountOverride([active("disable", "encoding")], "east")).toBeNull();
});
