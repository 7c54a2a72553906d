import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultClass, FAULTS, VIDEOS, type Fault } from "../bench/origin/faults.ts";
import { startOrigins, type OriginProcess } from "../bench/origin/origin.ts";
import { BenchRegion } from "../bench/origin/region.ts";
import { manifestPath } from "../bench/origin/video.ts";
import { Player } from "../bench/player.ts";
import { cpuMs, freePort, inLanes, peerVersion, rssMiB, startProcess, versionsOf } from "../bench/process.ts";

/** For what answers, on the busiest of machines; and for what does not. */
const PATIENCE_MS = 20_000;
const SHORT_MS = 500;

/** Those that show themselves in one play of a clear video on demand; the others need time, a process, a key or a certificate. */
const AT_ONCE = FAULTS.filter(
  (fault) => !["process", "live", "certificate"].includes(faultClass(fault)) && !/blackhole|slow|rendition|^key-|clock/.test(fault),
);

describe("the player", () => {
  const play = async (fault: Fault | null, video: (typeof VIDEOS)[number]): Promise<string | null> => {
    const region = await BenchRegion.start({ name: "a", host: "127.0.0.1" });
    await region.setFault(fault);
    const player = new Player({ router: region.addresses.streaming, video, patience: 10 });
    const { failure } = await player.play();
    await player.stop();
    await region.stop();
    return failure;
  };

  it.each(VIDEOS.filter(({ encrypted }) => !encrypted))("plays $protocol, live: $live", async (video) => {
    expect(await play(null, video)).toBeNull();
  });

  it.each(AT_ONCE)("fails with %s", async (fault) => {
    for (const protocol of ["hls", "dash"] as const) expect(await play(fault, { protocol, encrypted: false, live: false })).not.toBeNull();
  });
});

describe("an origin in a process of its own", () => {
  let origins: OriginProcess;
  const video = { protocol: "hls", encrypted: false, live: true } as const;
  const answers = async (withinMs: number): Promise<boolean> =>
    fetch(`${origins.region("a").streaming}${manifestPath(video)}`, { signal: AbortSignal.timeout(withinMs) }).then(
      ({ ok }) => ok,
      () => false,
    );

  beforeAll(async () => {
    origins = await startOrigins([{ name: "a", host: "127.0.0.1" }]);
  });
  afterAll(async () => origins[Symbol.asyncDispose]());

  it("answers, has faults, and is mended", async () => {
    expect(await answers(PATIENCE_MS)).toBe(true);
    for (const fault of ["manifest-503", "refuse", "reset", "blackhole"] as const) {
      await origins.breakRegion("a", fault);
      expect(await answers(SHORT_MS), fault).toBe(false);
      await origins.mendRegion("a");
      expect(await answers(PATIENCE_MS), `after ${fault}`).toBe(true);
    }
  });

  it("is stopped and killed for real", async () => {
    expect(rssMiB(origins.pid)).toBeGreaterThan(10);
    expect(cpuMs(origins.pid)).toBeGreaterThan(0);
    await origins.breakRegion("a", "stopped");
    expect(await answers(SHORT_MS)).toBe(false);
    await origins.breakRegion("a", "killed");
    expect(await answers(SHORT_MS)).toBe(false);
  });
});

describe("processes of a bench", () => {
  it("says why a program was not ready", async () => {
    const options = { command: process.execPath, args: ["-e", "console.error('no such thing'); process.exit(3)"], ready: "line" } as const;
    await expect(startProcess(options)).rejects.toThrow(/ended \(3\) before it was ready:\nno such thing/);
  });

  it("waits for a port, and ends what does not want to end", async () => {
    const port = await freePort();
    const script = `process.on("SIGTERM", () => {}); require("node:net").createServer().listen(${port}, "127.0.0.1")`;
    await using program = await startProcess({ command: process.execPath, args: ["-e", script], ready: { port } });
    program.send("SIGKILL");
    await program.stop();
    await program.stop();
    expect(cpuMs(program.pid)).toBe(0);
  });

  it("names peers that are missing", () => {
    expect(peerVersion("no-such-program")).toBeNull();
    expect(versionsOf(["no-such-program"])).toMatchObject({ missing: ["no-such-program is not installed here: no figure of it"] });
  });

  it("runs so many at a time and keeps the order", async () => {
    let running = 0;
    let most = 0;
    const results = await inLanes([30, 1, 20, 2], 2, async (ms) => {
      most = Math.max(most, (running += 1));
      await delay(ms);
      running -= 1;
      return ms;
    });
    expect([results, most]).toEqual([[30, 1, 20, 2], 2]);
  });
});
