import { Hono } from "hono";
import type { Clock } from "../core/clock.ts";
import { GatewayServer } from "../gateway/server.ts";
import type { SandboxRegion } from "./region.ts";
import type { Protection, PublishedVideo } from "./publish.ts";
export class ControlServer {
  readonly server: GatewayServer;
  constructor(s: GatewayServer) {
    this.server = s;
  }
  get url() {
    return this.server.url;
  }
  static async start(o: { port: number; regions: readonly SandboxRegion[]; videos: () => readonly PublishedVideo[]; clock: Clock }) {
    const app = new Hono();
    app.post("/regions/:name/faults", async (c) => {
      const b = await c.req.json<any>();
      const r = o.regions.find((x) => x.name === c.req.param("name"))!;
      for (const [s, server] of Object.entries(r.servers))
        if (b.service === "all" || b.service === s) await server.set({ kind: b.kind, status: b.status ?? 503, delayMs: b.delayMs ?? 3000 });
      return c.json({});
    });
    app.delete("/regions/:name/faults", async (c) => {
      const r = o.regions.find((x) => x.name === c.req.param("name"))!;
      for (const server of Object.values(r.servers)) await server.clear();
      return c.json({});
    });
    return new ControlServer(
      await GatewayServer.listen({ app, listen: { host: "127.0.0.1", port: o.port }, clock: o.clock, targets: "parsed" }),
    );
  }
  open(_: {
    pageOrigin: string;
    publish: (r: { region: string; protection: Protection; name: string | null }) => Promise<PublishedVideo>;
  }) {}
  async [Symbol.asyncDispose]() {
    await this.server.close();
  }
}
