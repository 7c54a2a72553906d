/**
 * A process with one or more bench regions, so that it can be killed and stopped for real. Its argument is a JSON list of regions; it writes
 * one line with their addresses and its control URL: `POST {control}/{region}?fault=stale` (empty: mended) and
 * `POST {control}/{region}?latency=200&errors=0.01`.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isFault } from "./faults.ts";
import { BenchRegion, type RegionOptions } from "./region.ts";

const wanted = JSON.parse(process.argv[2] ?? "[]") as readonly RegionOptions[];
const regions = new Map<string, BenchRegion>();
for (const options of wanted) regions.set(options.name, await BenchRegion.start(options));

async function command(url: URL): Promise<void> {
  const region = regions.get(url.pathname.slice(1));
  if (region === undefined) throw new Error(`no region ${url.pathname}`);
  const fault = url.searchParams.get("fault");
  if (fault !== null) {
    if (fault !== "" && !isFault(fault)) throw new Error(`no fault ${fault}`);
    await region.setFault(fault === "" ? null : fault);
  }
  const latencyMs = url.searchParams.get("latency");
  if (latencyMs !== null) region.noise = { latencyMs: Number(latencyMs), errors: Number(url.searchParams.get("errors") ?? 0) };
}

const control = createServer((request, response) => {
  command(new URL(request.url ?? "/", "http://control")).then(
    () => response.end(),
    (error: unknown) => {
      response.writeHead(400).end(String(error));
    },
  );
});
control.listen(0, "127.0.0.1");
await once(control, "listening");
const { port } = control.address() as AddressInfo;
process.stdout.write(
  `${JSON.stringify({ control: `http://127.0.0.1:${port}`, regions: [...regions.values()].map(({ addresses }) => addresses) })}\n`,
);

process.once("SIGTERM", () => {
  control.close();
  control.closeAllConnections();
  void Promise.all([...regions.values()].map(async (region) => region.stop()));
});
