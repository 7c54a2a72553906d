/** A source takes a video back: `paircast deletions` on real accounts, killed in the middle too. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callCommand, killRunning, runCommand, startCommand } from "../harness/command.ts";
import { CommandLab, lapseLeases, printed } from "../harness/commandLab.ts";
import type { PublishedVideo } from "../../src/sandbox/publish.ts";
import { eventually } from "../harness/wait.ts";

interface ListedDeletion {
  readonly assetName: string;
  readonly target: string;
  readonly status: string;
  readonly detail: string | null;
  readonly bytes: number | null;
}

interface Round {
  readonly deleted: number;
  readonly failed: number;
}

const [SOURCE, TARGET] = ["westeurope", "northeurope"];

let lab: CommandLab;
let config: string;
/** Notes what is gone, and deletes nothing that nobody has approved. */
let patient: string;
const videos: PublishedVideo[] = [];

beforeAll(async () => {
  lab = await CommandLab.start();
  config = configured("config", { maxShare: "100%" });
  patient = configured("patient", { approval: "required" });
  for (const protection of ["region-keys", "clear", "clear", "clear"] as const) videos.push(await lab.publish(protection, SOURCE));
  await replicate();
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

function configured(name: string, change: Record<string, unknown>): string {
  const deletion = { enabled: true, grace: "1s", assets: true, ...change };
  return lab.configure(name, { state: { path: lab.state("all") }, replication: { ...lab.settings.replication, deletion } });
}

async function replicate(): Promise<void> {
  const { code, err } = await runCommand(["replicate", "--config", config]);
  expect(code, err).toBe(0);
}

async function listed(...options: string[]): Promise<readonly ListedDeletion[]> {
  const { json } = await printed<{ deletions: ListedDeletion[] }>(["deletions", "list", "--config", config, ...options], callCommand);
  return json.deletions;
}

async function round(file: string, how?: typeof callCommand): Promise<Round> {
  return (await printed<Round>(["deletions", "run", "--config", file], how)).json;
}

/** As an operator does in the source's own account; the next pass of replication sees it. */
async function unpublish(...gone: readonly PublishedVideo[]): Promise<void> {
  const account = lab.media(SOURCE);
  for (const { name } of gone) {
    const locators = await account.assetLocators(name);
    expect(locators).toHaveLength(1);
    for (const locator of locators) await account.deleteLocator(locator.name);
  }
  await replicate();
  await round(patient, callCommand);
  await eventually(30_000, "the grace period to be over", async () =>
    (await listed()).some(({ status }) => status === "pending") ? null : true,
  );
}

function video(at: number): PublishedVideo {
  const found = videos[at];
  if (found === undefined) throw new Error(`no video ${at}`);
  return found;
}

describe("a video that its source has taken back", () => {
  it("is listed, and goes with locator, asset and files once its time has come; the others stay", async () => {
    const { name: assetName } = video(0);
    const before = {
      assets: (await lab.names(TARGET, "assets")).length,
      locators: (await lab.names(TARGET, "streamingLocators")).length,
    };
    await unpublish(video(0));
    expect(await listed()).toMatchObject([{ assetName, target: TARGET, status: "delete" }]);
    expect(await round(config)).toMatchObject({ deleted: 1, failed: 0 });
    expect(await lab.names(TARGET, "assets")).not.toContain(assetName);
    expect(await lab.names(TARGET, "assets")).toHaveLength(before.assets - 1);
    expect(await lab.names(TARGET, "streamingLocators")).toHaveLength(before.locators - 1);
    expect(await lab.names(SOURCE, "assets")).toContain(assetName);
    expect(await listed()).toEqual([]);
    const [done] = await listed("--all");
    expect(done).toMatchObject({ assetName, target: TARGET, status: "done", detail: expect.stringContaining(`asset ${assetName}`) });
    expect(done?.bytes).toBeGreaterThan(0);
  });

  it("is gone on with by the next process after a kill in the middle", async () => {
    const { name: assetName } = video(1);
    await unpublish(video(1));
    const child = startCommand(["deletions", "run", "--config", config]);
    await eventually(60_000, "the deletion is begun", async () => {
      const [begun] = (await listed("--all")).filter((each) => each.assetName === assetName);
      return begun?.status === "delete" ? null : true;
    });
    await killRunning(child);
    lapseLeases(lab.state("all"));
    await eventually(60_000, "it is deleted", async () => {
      await callCommand(["deletions", "run", "--config", config]);
      return (await listed("--all")).find((each) => each.assetName === assetName)?.status === "done" ? true : null;
    });
    expect(await lab.names(TARGET, "assets")).not.toContain(assetName);
  });

  it("is refused with others at once, until an operator has approved it", async () => {
    const strict = configured("strict", { maxShare: 1, window: "1s" });
    await unpublish(video(2), video(3));
    expect(await round(strict, callCommand)).toMatchObject({ deleted: 0 });
    const list = await callCommand(["deletions", "--config", strict]);
    expect(list.code).toBe(1);
    expect(list.out).toContain("2 refused");
    const approved = await callCommand(["deletions", "approve", video(2).name, "no-such", "--config", strict]);
    expect(approved.code).toBe(1);
    expect(approved.out).toContain("no-such: nothing of that name waits");
    expect(await round(strict, callCommand)).toMatchObject({ deleted: 1 });
    expect(await lab.names(TARGET, "assets")).not.toContain(video(2).name);
  });
});
