/** The benches run, and print what is promised: small parts of them, for their form and not for their figures. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { readGoals, type Report } from "../bench/frame.ts";

async function bench(name: string, ...options: string[]): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  const program = spawn(process.execPath, [new URL(`../bench/${name}.ts`, import.meta.url).pathname, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([text(program.stdout), text(program.stderr), once(program, "exit")]);
  return { code, out, err };
}

describe("bench:faults, bench:copy and bench:failover", () => {
  it.each([
    ["faults", "alternating", ["transitions, region up and down every 10 s, 10 minutes simulated"]],
    ["copy", "memory", ["peak RSS, 100 blobs", "peak RSS, many blobs"]],
    ["failover", "redirect,503", ["redirect, 503", "redirect, 503: failed"]],
  ])("%s prints one JSON object with its figures and their goals", async (name, only, figures) => {
    const { code, out, err } = await bench(name, "--quick", "--json", "--only", only);
    expect(err).not.toContain("could not measure");
    expect(code).toBe(0);
    const report = JSON.parse(out) as Report;
    expect(Object.keys(report)).toEqual(["name", "versions", "figures", "notes"]);
    expect(report).toMatchObject({ name, versions: { paircast: expect.any(String), node: process.version.slice(1) } });
    expect(report.figures.map((figure) => figure.name)).toEqual(figures);
    for (const { value, goal, holds, name: figure } of report.figures) {
      expect(value, figure).toEqual(expect.any(Number));
      const bound = readGoals()[name]?.[figure]?.[0]?.atMost;
      expect({ goal, holds }).toEqual(
        bound === undefined ? { goal: null, holds: null } : { goal: bound, holds: (value ?? Infinity) <= bound },
      );
    }
  });

  it.each(["faults", "failover"])("%s says what it does not know, and that it could not measure", async (name) => {
    const { code, out, err } = await bench(name, "--only", "nothing");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`bench:${name} could not measure: Error: --only knows no nothing`);
  });
});
