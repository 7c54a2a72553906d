/**
 * The control port of the sandbox: breaks and mends services, publishes videos. It answers programs on this machine and the pages that are
 * named to it; every other page in a browser is kept out, also one that has made its own name point to this machine (DNS rebinding).
 */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { FAULT_KINDS, SANDBOX_SERVICES, type Fault, type SandboxService } from "./contracts.ts";
import { guard } from "./controlGuard.ts";
import { body, checked, Refusal } from "./controlRequest.ts";
import { encodingControl, type EncodingDesk } from "./encoding/control.ts";
import { servicesFor } from "./faults/applicability.ts";
import type { FaultServer } from "./faultServer.ts";
import { PROTECTIONS, type Protection, type PublishedVideo } from "./publish.ts";

export interface ControlledRegion {
  readonly name: string;
  /** Base URLs, without a trailing slash. */
  readonly urls: Readonly<Record<SandboxService, string>>;
  readonly servers: Readonly<Record<SandboxService, Pick<FaultServer, "current" | "set" | "clear" | "counts" | "tls">>>;
  readonly encoding: EncodingDesk;
}

export interface PublishRequest {
  readonly region: string;
  readonly protection: Protection;
  /** Null: any name that is free. */
  readonly name: string | null;
  /** A live channel that broadcasts the sample over and over, instead of the recording. */
  readonly live: boolean;
}

export interface ControlDeps {
  readonly regions: readonly ControlledRegion[];
  /** Origins of the pages that may call from a browser; asked at each request. */
  readonly pageOrigins: () => readonly string[];
  readonly videos: () => readonly PublishedVideo[];
  /** Publishes a copy of the sample. Rejects with `PaircastError`; retry class `conflict` for a name that is taken. */
  readonly publish: (request: PublishRequest) => Promise<PublishedVideo>;
  readonly log: Log;
}

const MAX_BODY_BYTES = 16_384;
const services = z.enum([...SANDBOX_SERVICES, "all"]);
const faultBody = z.strictObject({
  service: services,
  kind: z.enum(FAULT_KINDS),
  status: z.int().min(200).max(599).prefault(503),
  delayMs: z.int().min(0).max(600_000).prefault(3000),
  cors: z.boolean().optional(),
});
const clearQuery = z.strictObject({ service: services.prefault("all") });
const videoBody = z.strictObject({
  region: z.string(),
  protection: z.enum(PROTECTIONS).prefault("gateway-keys"),
  name: z
    .string()
    .max(63)
    .regex(/^[a-z0-9](?:-?[a-z0-9]){2,}$/, "write 3 to 63 lower-case letters, digits and single hyphens: it names a container too")
    .nullable()
    .prefault(null),
  live: z.boolean().prefault(false),
});

/** The application of the control port. */
export function controlApp(deps: ControlDeps): Hono {
  const app = new Hono();
  app.use(guard(deps.pageOrigins));
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new Refusal(413, "body_too_large", `a body has at most ${MAX_BODY_BYTES} bytes here`);
      },
    }),
  );
  app.get("/regions", (c) => c.json({ regions: deps.regions.map((region) => describe(region)) }));
  app.post("/regions/:name/faults", async (c) => {
    const region = find(deps, c.req.param("name"));
    await breakServices(region, await body(c, faultBody));
    return c.json(describe(region));
  });
  app.delete("/regions/:name/faults", async (c) => {
    const region = find(deps, c.req.param("name"));
    const { service } = checked(clearQuery, c.req.query());
    const chosen = service === "all" ? SANDBOX_SERVICES : [service];
    await Promise.all(chosen.map(async (each) => region.servers[each].clear()));
    return c.json(describe(region));
  });
  app.get("/videos", (c) => c.json({ videos: deps.videos() }));
  app.post("/videos", async (c) => {
    const request = await body(c, videoBody);
    find(deps, request.region);
    return c.json(await deps.publish(request), 201);
  });
  app.route(
    "/regions/:name",
    encodingControl((name) => find(deps, name).encoding),
  );
  app.notFound(() => {
    throw new Refusal(
      404,
      "not_found",
      "the control port has /regions, /regions/{name}/faults, /jobs, /events and /subscriptions, and /videos",
    );
  });
  app.onError((error, c) => answerError(c, error, deps.log));
  return app;
}

/** Each service with its URL, its fault and what has arrived at it. */
function describe({ name, urls, servers }: ControlledRegion): object {
  const entries = SANDBOX_SERVICES.map((service) => {
    const server = servers[service];
    return [service, { url: urls[service], fault: server.current(), counts: server.counts() }] as const;
  });
  return { name, services: Object.fromEntries(entries) };
}

async function breakServices(region: ControlledRegion, { service, ...fault }: z.infer<typeof faultBody>): Promise<void> {
  const possible = servicesFor(fault.kind);
  if (service !== "all" && !possible.includes(service)) {
    throw new Refusal(400, "fault_not_applicable", `${service} cannot have the fault ${fault.kind}, only ${possible.join(" and ")} can`);
  }
  const wanted = service === "all" ? possible : [service];
  const chosen = wanted.filter((each) => fault.kind !== "expired-cert" || region.servers[each].tls);
  if (chosen.length === 0) {
    const message = `${wanted.join(", ")} of ${region.name} speak plain HTTP: for expired-cert start the sandbox with TLS`;
    throw new Refusal(409, "fault_not_applicable", message);
  }
  const applied: Fault = fault;
  await Promise.all(chosen.map(async (each) => region.servers[each].set(applied)));
}

function find({ regions }: ControlDeps, name: string): ControlledRegion {
  const region = regions.find((candidate) => candidate.name === name);
  if (region !== undefined) return region;
  throw new Refusal(404, "unknown_region", `there is no region ${name}, only ${regions.map((each) => each.name).join(" and ")}`);
}

const STATUS_BY_RETRY = { conflict: 409, retry: 503, never: 502 } as const;

function answerError(c: Context, error: Error, log: Log): Response {
  if (error instanceof Refusal) return c.json({ error: { code: error.code, message: error.message } }, error.status);
  log.warn("sandbox.control_failed", { code: errorCode(error), error: errorChain(error) });
  if (!(error instanceof PaircastError)) return c.json({ error: { code: "internal", message: "see the sandbox's log" } }, 500);
  return c.json({ error: { code: error.code, message: error.message } }, STATUS_BY_RETRY[error.retry]);
}
