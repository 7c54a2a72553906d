/** The whole system as one command: what the sandbox promises, seen from outside. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { request } from "undici";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually } from "../harness/wait.ts";

let sandbox: SandboxProcess;

beforeAll(async () => {
  sandbox = await SandboxProcess.start();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
});

async function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; location: string; body: Buffer }> {
  // A kept connection may just be closed by the other side.
  const answer = await request(url, { headers, reset: true });
  return {
    status: answer.statusCode,
    location: String(answer.headers["location"] ?? ""),
    body: Buffer.from(await answer.body.arrayBuffer()),
  };
}

function authorization(video: SandboxVideo): Record<string, string> {
  return video.token === null ? {} : { authorization: `Bearer ${video.token}` };
}

async function routedTo(path: string): Promise<string> {
  const { location } = await get(`${sandbox.ready.gateway}${path}`);
  return new URL(location).host;
}

function host(region: string, service: "streaming" | "keys" = "streaming"): string {
  return new URL(sandbox.region(region)[service]).host;
}

describe("a protected video in two regions", () => {
  it("answers its manifests at both regions under the same path", async () => {
    for (const video of sandbox.ready.videos) {
      for (const { streaming } of sandbox.ready.regions) {
        expect((await get(`${streaming}${video.hls}`)).status, `${streaming}${video.hls}`).toBe(200);
        expect((await get(`${streaming}${video.dash}`)).status, `${streaming}${video.dash}`).toBe(200);
      }
    }
  });

  it("has the same key of 16 bytes at both key hosts", async () => {
    for (const video of sandbox.ready.videos) {
      const keys = await Promise.all(
        sandbox.ready.regions.map(async ({ keys: base }) => get(`${base}/?kid=${String(video.keyId)}`, authorization(video))),
      );
      expect(keys.map(({ status }) => status)).toEqual([200, 200]);
      expect(keys[0]?.body).toHaveLength(16);
      expect(keys[0]?.body.equals(keys[1]?.body ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it("refuses the protected key without a token, at the regions and through the gateway", async () => {
    const video = sandbox.video("paircast-sample");
    expect(video.token).not.toBeNull();
    const path = `/?kid=${String(video.keyId)}`;
    expect((await get(`${sandbox.region("northeurope").keys}${path}`)).status).toBe(401);
    expect((await get(`${sandbox.ready.gateway}/keys${path}`, { authorization: "Bearer nonsense" })).status).toBeGreaterThanOrEqual(401);
  });

  it("redirects a manifest and proxies a key that needs its Authorization header", async () => {
    const video = sandbox.video("paircast-sample");
    const manifest = await get(`${sandbox.ready.gateway}${video.hls}?a=b&c=%2f`);
    expect(manifest.status).toBe(302);
    expect(manifest.location).toBe(`${sandbox.region("westeurope").streaming}${video.hls}?a=b&c=%2f`);
    const key = await get(`${sandbox.ready.gateway}/keys/?kid=${String(video.keyId)}`, authorization(video));
    const direct = await get(`${sandbox.region("northeurope").keys}/?kid=${String(video.keyId)}`, authorization(video));
    expect(key.status).toBe(200);
    expect(key.body.equals(direct.body)).toBe(true);
  });
});

describe("the loss of a region", () => {
  it("sends every new request elsewhere, none to the dead region afterwards, and comes back without flapping", async () => {
    const video = sandbox.video("paircast-sample");
    const alive = host("northeurope");
    await sandbox.breakRegion("westeurope", { kind: "refuse" });
    // How soon is a matter of `npm run bench:failover`.
    await eventually(30_000, "manifests to go to northeurope", async () => ((await routedTo(video.hls)) === alive ? true : null));
    for (let n = 0; n < 50; n += 1) {
      expect(await routedTo(video.hls)).toBe(alive);
      const key = await get(`${sandbox.ready.gateway}/keys/?kid=${String(video.keyId)}`, authorization(video));
      expect(key.status).toBe(200);
    }
    await sandbox.mendRegion("westeurope");
    await eventually(30_000, "manifests to return to westeurope", async () =>
      (await routedTo(video.hls)) === host("westeurope") ? true : null,
    );
    for (let n = 0; n < 50; n += 1) expect(await routedTo(video.hls)).toBe(host("westeurope"));
    const metrics = (await get(`${sandbox.ready.admin}/metrics`)).body.toString();
    expect(metrics).toContain('paircast_service_state_changes_total{origin="westeurope",service="streaming",to="unhealthy"} 1');
    expect(metrics).toContain('paircast_service_state_changes_total{origin="northeurope",service="streaming",to="unhealthy"} 0');
  });

  it("keeps keys working when only the key host is lost, and manifests where they are", async () => {
    const video = sandbox.video("paircast-sample");
    await sandbox.breakRegion("westeurope", { service: "keys", kind: "refuse" });
    const key = await get(`${sandbox.ready.gateway}/keys/?kid=${String(video.keyId)}`, authorization(video));
    expect(key.status).toBe(200);
    await sandbox.mendRegion("westeurope");
  });
});

describe("publishing", () => {
  it.each(["westeurope", "northeurope"])(
    "a video published in %s is found, replicated and verified in the other region",
    async (source) => {
      const video = (await sandbox.control("POST", "/videos", { region: source, protection: "gateway-keys" })) as SandboxVideo;
      expect(video.source).toBe(source);
      const other = source === "westeurope" ? "northeurope" : "westeurope";
      await eventually(45_000, `${video.name} at ${other}`, async () => {
        const status = JSON.parse((await get(`${sandbox.ready.admin}/api/status`)).body.toString()) as {
          videos: { locatorId: string; regions: Record<string, { state: string }> }[];
        };
        const entry = status.videos.find(({ locatorId }) => locatorId === video.locatorId);
        return entry?.regions[other]?.state === "verified" ? true : null;
      });
      expect((await get(`${sandbox.region(other).streaming}${video.hls}`)).status).toBe(200);
      const keys = await Promise.all(
        sandbox.ready.regions.map(async ({ keys: base }) => get(`${base}/?kid=${String(video.keyId)}`, authorization(video))),
      );
      expect(keys[0]?.body.equals(keys[1]?.body ?? Buffer.alloc(0))).toBe(true);
    },
  );
});

describe("what it writes", () => {
  it("never holds a key, a token or a SAS", () => {
    const text = sandbox.log.join("\n");
    for (const { token } of sandbox.ready.videos) if (token !== null) expect(text).not.toContain(token);
    expect(text).not.toMatch(/sig=(?!\[redacted\])/);
    expect(text).not.toMatch(/Bearer (?!\[redacted\])/);
  });
});
