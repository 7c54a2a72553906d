/** `paircast replicate` against two real regions: identity, repeatability, conflicts, a kill in the middle. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SqliteCatalogue } from "../../src/replicator/sqlite/catalogue.ts";
import type { ArmClient } from "../../src/sandbox/arm.ts";
import { killRunning, runCommand, startCommand, startRunning, stopRunning, type Ended } from "../harness/command.ts";
import { CommandLab, lapseLeases, printed } from "../harness/commandLab.ts";
import { eventually } from "../harness/wait.ts";

interface Summary {
  readonly assets: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly bytes: number;
  readonly results: readonly {
    readonly target: string;
    readonly result: string;
    readonly error: { readonly message: string } | null;
    readonly counts: { readonly blobsCopied: number };
  }[];
}

let lab: CommandLab;
/** Of the replicator that has carried everything. The others know nothing of what it did. */
let first: string;

beforeAll(async () => {
  lab = await CommandLab.start();
  first = lab.configure("first");
  const { code, json } = await replicate(first);
  expect(code).toBe(0);
  expect(json.bytes).toBeGreaterThan(0);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

async function replicate(file: string, ...options: string[]): Promise<Ended & { readonly json: Summary }> {
  return printed(["replicate", "--config", file, ...options]);
}

describe("paircast replicate", () => {
  it("adopts what is there already without copying a byte, and the second run changes nothing and says so", async () => {
    const file = lab.configure("again");
    const adopted = await replicate(file);
    expect(adopted.code).toBe(0);
    expect(adopted.json).toMatchObject({ conflicts: 0, bytes: 0 });
    expect(adopted.json.changed).toBeGreaterThan(0);
    const second = await replicate(file);
    expect(second.json).toMatchObject({ changed: 0, conflicts: 0, failed: 0, bytes: 0 });
    const text = await runCommand(["replicate", "--config", file]);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/nothing to do: \d+ assets? (is|are) the same everywhere/);
  });

  it("keeps locator id, key ids, key values, policies, times and filters", async () => {
    const [west, north] = [lab.arm("westeurope"), lab.arm("northeurope")];
    for (const { name } of lab.videos) {
      const [there, here] = [await north.get(`streamingLocators/${name}`), await west.get(`streamingLocators/${name}`)];
      const fields = (locator: typeof there): object => ({ ...(locator?.["properties"] as object | undefined), created: null });
      expect(fields(here)).toHaveProperty("streamingLocatorId");
      expect(fields(there)).toEqual(fields(here));
      expect(await north.post(`streamingLocators/${name}/listContentKeys`, {})).toEqual(
        await west.post(`streamingLocators/${name}/listContentKeys`, {}),
      );
    }
    const policy = "contentKeyPolicies/sandbox-token/getPolicyPropertiesWithSecrets";
    const options = async (client: ArmClient): Promise<unknown> => {
      const text = JSON.stringify((await client.post(policy, {}))["options"]);
      return JSON.parse(text, (key, value: unknown) => (key === "policyOptionId" ? undefined : value));
    };
    expect(await options(north)).toEqual(await options(west));
  });

  it("never overwrites what it did not write: the conflict names both sides, and the region serves that video no more", async () => {
    const video = await lab.publish();
    expect((await replicate(first, "--asset", video.name)).code).toBe(0);
    const file = lab.configure("conflict");
    const container = await lab.container("northeurope", video.name);
    const other = "somebody else's file";
    await container.getBlockBlobClient("paircast-sample.ismc").upload(other, other.length);
    const { code, json: summary, err } = await replicate(file, "--asset", video.name);
    expect(code).toBe(1);
    expect(summary.conflicts).toBe(1);
    const message = summary.results.find(({ result }) => result === "conflict")?.error?.message ?? "";
    expect(message).toContain("paircast-sample.ismc");
    expect(message).toContain("westeurope");
    expect(message).toContain("northeurope");
    expect((await container.getBlobClient("paircast-sample.ismc").downloadToBuffer()).toString()).toBe(other);
    expect(message + err).not.toMatch(/sig=(?!\[redacted\])/);
  });

  it("names an asset that does not exist", async () => {
    const file = lab.configure("missing");
    const { code, err } = await runCommand(["replicate", "--config", file, "--asset", "no-such-asset"]);
    expect(code).toBe(1);
    expect(err).toContain("no source region publishes an asset named no-such-asset");
  });

  it("killed in the middle and started again: nothing is copied twice, nothing half-done is catalogued", async () => {
    const file = lab.configure("killed");
    await lab.break("northeurope", "streaming", "blackhole");
    const video = await lab.publish();
    const child = startCommand(["replicate", "--config", file, "--asset", video.name]);
    await eventually(45_000, "the copied files at the target", async () =>
      Object.keys(await copies(video.name)).length === 6 ? true : null,
    );
    await killRunning(child);
    const before = await copies(video.name);
    await lab.mend("northeurope");
    lapseLeases(lab.state("killed"));
    const again = await eventually(40_000, "the video to be verified", async () => {
      const result = await replicate(file, "--asset", video.name);
      return result.code === 0 ? result : null;
    });
    expect(again.value.json.results.map(({ counts }) => counts.blobsCopied)).toEqual([0, 0]);
    expect(await copies(video.name)).toEqual(before);
  });

  it("takes a login page in the place of the management API for no answer: nothing is withdrawn", async () => {
    // One that goes on: it has its token.
    await using following = await startRunning(["replicate", "--follow", "--json", "--config", first], 30_000);
    await lab.break("westeurope", "management", "html");
    const refusals = (): readonly string[] =>
      following.log.filter((line) => line.includes("replication.region_unreachable") && line.includes("account_unavailable"));
    await eventually(45_000, "three passes that met the login page", () => Promise.resolve(refusals().length >= 3 ? true : null));
    expect(await stopRunning(following.child)).toBe(0);
    await lab.mend("westeurope");
    await using catalogue = new SqliteCatalogue(lab.state("first"));
    for (const { locatorId } of lab.videos) {
      const verified = { state: "verified" };
      expect((await catalogue.get(locatorId))?.entry.regions).toMatchObject({ westeurope: verified, northeurope: verified });
    }
  });

  /** The files at the target, with their ETags. */
  async function copies(asset: string): Promise<Readonly<Record<string, string>>> {
    const blobs = await Array.fromAsync((await lab.container("northeurope", asset)).listBlobsFlat());
    return Object.fromEntries(blobs.map(({ name, properties }) => [name, properties.etag]));
  }
});
