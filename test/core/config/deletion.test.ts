import { describe, expect, it } from "vitest";
import { deletion } from "../../../src/core/config/deletion.ts";
import { crossFieldProblems } from "../../../src/core/config/rules.ts";
import { configSchema } from "../../../src/core/config/schema.ts";

const DAY = 86_400_000;

describe("replication.deletion", () => {
  it("is off, patient and careful where nothing is written", () => {
    expect(deletion.parse({})).toEqual({
      enabled: false,
      grace: 7 * DAY,
      maxShare: { share: 0.01 },
      window: DAY,
      approval: "none",
      assets: false,
      every: 600_000,
    });
  });
  it("takes a share or a number", () => {
    expect(deletion.parse({ maxShare: "0.5%" }).maxShare).toEqual({ share: 0.005 });
    expect(deletion.parse({ maxShare: "100%" }).maxShare).toEqual({ share: 1 });
    expect(deletion.parse({ maxShare: 25 }).maxShare).toEqual({ count: 25 });
  });
  it.each(["0%", "101%", "1", "half", 0, 1.5, -1])("refuses %s as a limit, and says what to write", (maxShare) => {
    expect(deletion.safeParse({ maxShare }).error?.issues[0]?.message).toContain("write a share of a target's videos");
  });
  it.each([{ grace: "0s" }, { window: "1ms" }, { approval: "maybe" }, { assets: "yes" }, { graze: "1d" }])("refuses %o", (written) => {
    expect(deletion.safeParse(written).success).toBe(false);
  });
  it("is refused for storage without a management API", () => {
    const storage = { kind: "azure", url: "https://videos.blob.core.windows.net", credential: { kind: "default" } };
    const config = (enabled: boolean) =>
      configSchema.parse({
        regions: [{ name: "west", streaming: "https://west.example", account: { driver: "static", storage, containers: "*" } }],
        gateway: { prefixes: ["/"] },
        replication: { deletion: { enabled } },
      });
    expect(crossFieldProblems(config(false))).toEqual([]);
    const [problem] = crossFieldProblems(config(true));
    expect(problem?.path).toEqual(["replication", "deletion", "enabled"]);
    expect(problem?.message).toContain("region west");
  });
});
