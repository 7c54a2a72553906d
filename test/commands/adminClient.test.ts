import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askAdmin } from "../../src/commands/adminClient.ts";

const CONFIG = 'regions: [{ name: one, streaming: "http://127.0.0.11:1" }]\nadmin: { listen: "127.0.0.1:9999" }\n';

describe("a command that asks a running gateway", () => {
  const home = process.cwd();
  const dispatcher = getGlobalDispatcher();
  let folder: string;
  let agent: MockAgent;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "paircast-admin-"));
    process.chdir(folder);
    agent = new MockAgent();
    agent.disableNetConnect();
    setGlobalDispatcher(agent);
  });

  afterEach(async () => {
    setGlobalDispatcher(dispatcher);
    await agent.close();
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  });

  function answering(origin: string): void {
    agent.get(origin).intercept({ path: "/api/status" }).reply(200, { from: origin });
  }

  const ask = (config: string | null, admin: string | null = null) => askAdmin({ config, admin }, "/api/status");

  it("finds it at the default address where no configuration is named and none is there", async () => {
    answering("http://127.0.0.1:9090");
    expect(await ask(null)).toEqual({ from: "http://127.0.0.1:9090" });
  });

  it("finds it by the configuration that is there, or the one that is named", async () => {
    writeFileSync(join(folder, "paircast.yaml"), CONFIG);
    writeFileSync(join(folder, "other.yaml"), CONFIG.replace("9999", "9998"));
    for (const [config, origin] of [
      [null, "http://127.0.0.1:9999"],
      ["other.yaml", "http://127.0.0.1:9998"],
    ] as const) {
      answering(origin);
      expect(await ask(config)).toEqual({ from: origin });
    }
  });

  it("refuses a configuration that is named and is not there", async () => {
    await expect(ask("paircast.yaml")).rejects.toMatchObject({ code: "config_invalid" });
  });

  it("says where it looked, and why there", async () => {
    await expect(ask(null)).rejects.toMatchObject({
      code: "admin_unreachable",
      message: expect.stringContaining(
        "no gateway answers at http://127.0.0.1:9090 (the default address, as there is no paircast.yaml here)",
      ),
    });
    await expect(ask(null, "127.0.0.1:1")).rejects.toThrow("no gateway answers at http://127.0.0.1:1 (--admin)");
  });
});
