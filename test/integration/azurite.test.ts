import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog, type Log } from "../../src/core/log.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { eventually, within } from "../harness/wait.ts";

const KEY = Buffer.alloc(64, 3).toString("base64");
const options = {
  accounts: [
    { name: "one", key: KEY },
    { name: "two", key: KEY },
  ],
  port: 0,
  clock: systemClock,
  log: silentLog,
};

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("Azurite as a child process", () => {
  it("serves each account by its key, and is gone when it is stopped, which it may be twice", async () => {
    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (event) => errors.push(event) };
    const azurite = await Azurite.start({ ...options, log });
    for (const { name } of options.accounts) {
      const service = new BlobServiceClient(`${azurite.url}/${name}`, new StorageSharedKeyCredential(name, KEY));
      await service.getContainerClient("videos").create();
    }
    await Promise.all([azurite.stop(), azurite.stop()]);
    expect(alive(azurite.pid)).toBe(false);
    await azurite.stop();
    expect(errors).toEqual([]);
  });

  it("reports that it died of itself", async () => {
    const { promise: died, resolve } = Promise.withResolvers<string>();
    const azurite = await Azurite.start({ ...options, log: { ...silentLog, error: resolve } });
    process.kill(azurite.pid, "SIGKILL");
    expect(await within(30_000, "the report", died)).toBe("sandbox.azurite_exited");
    await azurite.stop();
  });

  it("says what it said when it does not come up", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await expect(Azurite.start({ ...options, port })).rejects.toMatchObject({
      code: "azurite_failed",
      message: expect.stringMatching(/ended with 1 before it took requests.*EADDRINUSE/) as string,
    });
    taken.close();
  });

  it("ends with its parent, also when that is killed outright, and removes its temporary folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "paircast-tether-"));
    writeFileSync(join(folder, "secret"), "left behind");
    const script = `
      import { Azurite } from ${JSON.stringify(new URL("../../src/sandbox/azurite.ts", import.meta.url).href)};
      import { systemClock } from ${JSON.stringify(new URL("../../src/core/clock.ts", import.meta.url).href)};
      const log = { error: () => undefined };
      const azurite = await Azurite.start({ accounts: [{ name: "one", key: "a2V5" }], port: 0, folder: ${JSON.stringify(folder)}, clock: systemClock, log });
      console.log(azurite.pid);
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await within(120_000, "Azurite's pid", once(createInterface({ input: parent.stdout }), "line"))) as [string];
    const pid = Number(line);
    expect(alive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await eventually(30_000, "Azurite to end", async () => (alive(pid) ? null : true));
    expect(existsSync(folder)).toBe(false);
  });
});
