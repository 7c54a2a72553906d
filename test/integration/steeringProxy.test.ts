/** The proxy by which the players' matrix fails the steering endpoint, and nothing else. */
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { steeringFaultProxy, type SteeringProxy } from "../players/steeringProxy.ts";

const gateway = createServer((req, res) => res.setHeader("x-host", req.headers.host ?? "").end(`answer to ${req.url ?? ""}`));
let proxy: SteeringProxy;

beforeEach(async () => {
  gateway.listen(0, "127.0.0.1");
  await once(gateway, "listening");
  proxy = await steeringFaultProxy((gateway.address() as AddressInfo).port, null);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  gateway.close();
  gateway.closeAllConnections();
  await once(gateway, "close");
});

async function get(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly host: unknown; readonly text: string }> {
  const options = { headers: { host: "steer.localhost", connection: "close" }, ...(signal === undefined ? {} : { signal }) };
  const answer = await request(`http://127.0.0.1:${proxy.port}${path}`, options);
  return { status: answer.statusCode, host: answer.headers["x-host"], text: await answer.body.text() };
}

describe("the steering proxy", () => {
  it("carries everything with the Host field that the player sent", async () => {
    expect(await get("/steering/hls/a?b=c")).toEqual({ status: 200, host: "steer.localhost", text: "answer to /steering/hls/a?b=c" });
  });

  it("fails steering as it is told, carries the rest, and is mended", async () => {
    proxy.set("500");
    expect((await get("/steering/hls/a")).status).toBe(500);
    proxy.set("dies");
    await expect(get("/steering/hls/a")).rejects.toThrow();
    proxy.set("hangs");
    const stop = new AbortController();
    const hung = get("/steering/hls/a", stop.signal);
    expect((await get("/a/manifest")).text).toBe("answer to /a/manifest");
    stop.abort();
    await expect(hung).rejects.toThrow();
    proxy.set(null);
    expect((await get("/steering/hls/a")).status).toBe(200);
  });
});
