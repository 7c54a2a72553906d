/** Starts bench regions in a process of their own and switches their faults. */
import { request } from "undici";
import { startProcess } from "../process.ts";
import { faultClass, type Fault } from "./faults.ts";
import type { Noise, RegionOptions } from "./region.ts";

export interface OriginRegion {
  readonly name: string;
  readonly streaming: string;
  readonly keys: string;
}

export interface OriginProcess extends AsyncDisposable {
  readonly pid: number;
  readonly regions: readonly OriginRegion[];
  region(name: string): OriginRegion;
  /** `killed` and `stopped` befall the process, with every region in it. */
  breakRegion(name: string, fault: Fault): Promise<void>;
  mendRegion(name: string): Promise<void>;
  disturb(name: string, noise: Noise): Promise<void>;
}

export async function startOrigins(regions: readonly RegionOptions[], cpus?: string): Promise<OriginProcess> {
  const program = await startProcess({
    command: process.execPath,
    args: [new URL("main.ts", import.meta.url).pathname, JSON.stringify(regions)],
    ready: "line",
    ...(cpus === undefined ? {} : { cpus }),
  });
  const { control, regions: started } = JSON.parse(program.line) as { readonly control: string; readonly regions: readonly OriginRegion[] };
  const order = async (name: string, query: string): Promise<void> => {
    const { statusCode, body } = await request(`${control}/${name}?${query}`, { method: "POST" });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`the origin refused ${query}: ${text}`);
  };
  return {
    pid: program.pid,
    regions: started,
    region: (name) => {
      const found = started.find((each) => each.name === name);
      if (found === undefined) throw new Error(`no region ${name}`);
      return found;
    },
    breakRegion: async (name, fault) => {
      if (faultClass(fault) === "process") program.send(fault === "killed" ? "SIGKILL" : "SIGSTOP");
      else await order(name, `fault=${fault}`);
    },
    mendRegion: async (name) => order(name, "fault="),
    disturb: async (name, { latencyMs, errors }) => order(name, `latency=${latencyMs}&errors=${errors}`),
    [Symbol.asyncDispose]: async () => program[Symbol.asyncDispose](),
  };
}
