/** What a gateway knows of its regions, over a kill and a start. */
import { once } from "node:events";
import { request } from "undici";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { startOrigin } from "../fakes/origin.ts";
import { packageVideo, testKey } from "../fakes/packagedVideo.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually, within } from "../harness/wait.ts";

const state = (region: string, status: string): string =>
  `paircast_service_state{origin="${region}",service="streaming",state="${status}"}`;

it("a gateway that was killed starts from what it knew, and routes by it before its first probe", async () => {
  const content = { files: packageVideo("/v/", {}), key: testKey("any") };
  await using west = await startOrigin(content);
  await using north = await startOrigin(content);
  await using folder = await ServeFolder.create();
  const regions = [west, north].map(({ url }, index) => ({
    name: ["we", "ne"][index],
    streaming: url,
    canary: { manifest: "/v/master.m3u8" },
  }));
  const settings = (health: object): string =>
    stringify({
      regions,
      gateway: { listen: "127.0.0.1:0", prefixes: ["/"] },
      admin: { listen: "127.0.0.1:0" },
      health,
      replication: { enabled: false },
    });
  await west.refuse();
  await folder.write(settings({ interval: "100ms", fastInterval: "50ms" }));
  {
    const first = await ServeProcess.start(folder);
    await eventually(60_000, "we to be unhealthy and ne to be healthy", async () => {
      const known = [await first.metric(state("we", "unhealthy")), await first.metric(state("ne", "healthy"))];
      return known.every((value) => value === 1) ? true : null;
    });
    const exited = once(first.child, "exit");
    first.child.kill("SIGKILL");
    await within(45_000, "the process to end", exited);
  }
  // The first probe of the second process comes after up to half a minute.
  await folder.write(settings({ interval: "60s", jitter: 0.5, watch: false }));
  await using second = await ServeProcess.start(folder);
  expect([await second.metric(state("we", "unhealthy")), await second.metric(state("ne", "healthy"))]).toEqual([1, 1]);
  const { statusCode, headers, body } = await request(`${second.gateway}/v/master.m3u8`);
  await body.dump();
  expect([statusCode, headers["location"]]).toEqual([302, `${north.url}/v/master.m3u8`]);
});
