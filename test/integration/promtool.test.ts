/** Prometheus' own tool on what is meant for Prometheus. Skipped where it is not installed (`apt-get install prometheus`). */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { dashboardQueries } from "../ops/promql.ts";

const run = promisify(execFile);
const installed = spawnSync("promtool", ["--version"]).status === 0;
const ops = new URL("../../ops/", import.meta.url).pathname;

/** Standard output; rejects with what the tool complained of. */
async function promtool(...args: string[]): Promise<string> {
  return (await run("promtool", args, { cwd: ops })).stdout;
}

describe.skipIf(!installed)("promtool", () => {
  it("accepts the alert rules", async () => {
    expect(await promtool("check", "rules", "alerts.yaml")).toContain("SUCCESS");
  });

  it("sees each alert fire when it should, and not before", async () => {
    expect(await promtool("test", "rules", "alerts.test.yaml")).toContain("SUCCESS");
  });

  it("accepts the example of a scrape configuration", async () => {
    expect(await promtool("check", "config", "prometheus.example.yaml")).toContain("SUCCESS");
  });

  it("can parse every query of the dashboard", async () => {
    const folder = await mkdtemp(join(tmpdir(), "paircast-rules-"));
    try {
      const file = join(folder, "dashboard.yaml");
      const rules = (await dashboardQueries()).map(({ expr }, number) => ({ record: `dashboard:panel_${number}`, expr }));
      await writeFile(file, stringify({ groups: [{ name: "dashboard", rules }] }));
      expect(await promtool("check", "rules", file)).toContain(`${rules.length} rules found`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("has nothing against the names and the text of the metrics", async () => {
    await using folder = await ServeFolder.create();
    const regions = '[{ name: west, streaming: "http://127.0.0.1:9", keys: "http://127.0.0.1:9/keys" }]';
    await folder.write(`regions: ${regions}\ngateway: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:0" }\n`);
    await using serve = await ServeProcess.start(folder);
    const pages = [`${serve.admin}/metrics`, `${serve.admin}/probe?target=${encodeURIComponent("http://127.0.0.1:9/x")}`];
    for (const page of pages) {
      const answer = await request(page);
      const text = await answer.body.text();
      expect(answer.statusCode).toBe(200);
      const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
      expect(checked.stderr + checked.stdout).toBe("");
      expect(checked.status).toBe(0);
    }
  });
});
