/** The load generator for machines without wrk: `node generator.ts {options}`, one JSON line when the time is up. As slow as node is. */
import { Agent, request } from "node:http";
import { quantile } from "../frame.ts";
import type { LoadOptions, LoadResult } from "./load.ts";

const { url, kind, seconds, connections } = JSON.parse(process.argv[2] ?? "{}") as LoadOptions;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const times: number[] = [];
const started = performance.now();
const until = started + seconds * 1_000;
let count = 0;
let errors = 0;

const LICENCE = "c".repeat(2_048);
const KEY_ID = "f5d3c6c9-0d38-4f12-a1e6-35a1b9e7c0de";

function asked(): { readonly method: string; readonly path: string; readonly headers: Record<string, string>; readonly body: string } {
  count += 1;
  if (kind === "key") {
    return { method: "GET", path: `/keys/?kid=${KEY_ID}&n=${count}`, headers: { authorization: "Bearer abcdefghij" }, body: "" };
  }
  if (kind === "licence") {
    const headers = { "content-type": "application/octet-stream", "content-length": String(LICENCE.length) };
    return { method: "POST", path: `/keys/Widevine/?kid=${KEY_ID}`, headers, body: LICENCE };
  }
  const video = `8d7ab48c-5d43-4f31-9d52-${String(count % 1_000).padStart(12, "0")}`;
  const query = kind === "redirect" ? `?n=${count}` : "";
  const headers: Record<string, string> = kind === "manifest" ? { "accept-encoding": "gzip, deflate, br" } : {};
  return { method: "GET", path: `/${video}/video.ism/manifest(format=m3u8-cmaf)${query}`, headers, body: "" };
}

async function once(): Promise<void> {
  const { method, path, headers, body } = asked();
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const failed = (): void => {
      errors += 1;
      resolve();
    };
    const outgoing = request(url + path, { method, headers, agent }, (incoming) => {
      if ((incoming.statusCode ?? 500) >= 400) errors += 1;
      incoming.on("error", failed).on("end", () => {
        times.push(performance.now() - began);
        resolve();
      });
      incoming.resume();
    });
    outgoing.on("error", failed).end(body);
  });
}

async function connection(): Promise<void> {
  while (performance.now() < until) await once();
}

await Promise.all(Array.from({ length: connections }, connection));
agent.destroy();
const result: LoadResult = { requests: times.length, seconds: (performance.now() - started) / 1_000, p99Ms: quantile(times, 0.99), errors };
process.stdout.write(`${JSON.stringify(result)}\n`);
