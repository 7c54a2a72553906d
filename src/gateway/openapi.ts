/** The OpenAPI 3.1 document of the admin API. */
import { z } from "zod";
import type { Operation } from "./adminOperation.ts";
import { adminSchemas } from "./adminSchemas.ts";
import { ENCODING_OPERATIONS } from "./encodingOperations.ts";

type Document = Readonly<Record<string, unknown>>;

const BY = {
  name: "by",
  in: "query",
  required: false,
  description: "who does it, for the audit; or as the header x-paircast-by",
  schema: { type: "string" },
};
const LIMIT = { limit: { required: false, description: "at most this many, 1 to 1000; default 100" } };

/** Every operation of the admin API but the status page's own files. */
export const OPERATIONS: readonly Operation[] = [
  { path: "/healthz", summary: "Whether the process answers.", answer: "Health", open: true },
  { path: "/metrics", summary: "Metrics in Prometheus' text format.", answer: "text/plain" },
  { path: "/api/status", summary: "Regions, videos and replication jobs at one moment.", answer: "Status" },
  { path: "/api/health", summary: "The state of every service and the last 64 results of its check.", answer: "Checks" },
  {
    path: "/probe",
    summary: "One probe now, in Prometheus' text format, with blackbox_exporter's names.",
    answer: "text/plain",
    query: {
      target: { required: true, description: "URL at a configured region" },
      module: { required: false, description: "hls, dash, key, tls or http; default http" },
    },
    errors: { "400": "no target, no such module, or not at a configured region", "503": "as many probes as allowed are running" },
  },
  {
    path: "/api/explain",
    summary: "How a player's request would be routed now, with every candidate and why. Asks no region.",
    answer: "Explanation",
    query: {
      url: { required: true, description: "URL of the gateway, or its path and query" },
      method: { required: false, description: "default GET" },
      address: { required: false, description: "IP address of the viewer to suppose" },
      country: { required: false, description: "country of the viewer to suppose, two letters" },
      session: { required: false, description: "session id of the viewer to suppose" },
    },
    errors: { "400": "`url` is missing, or neither an http(s) URL nor a path" },
  },
  { path: "/api/catalogue", summary: "Which locator is verified in which region, newest first.", answer: "Catalogue", query: LIMIT },
  { path: "/api/overrides", summary: "Operators' overrides in force, and what was done to overrides.", answer: "Overrides", query: LIMIT },
  {
    path: "/api/overrides",
    method: "post",
    summary: "Sets an override; it replaces the one of the same region and service.",
    body: "OverrideRequest",
    answer: "Override",
    status: "201",
    errors: {
      "400": "not a valid override; `error` says what is missing",
      "409":
        "`last_eligible`: nothing would be left; `unhealthy`: a pin would send everyone to a failing region (add `force`); `contradiction`: another override says the opposite",
      "413": "the body is too large",
      "415": "the body is not application/json",
      "503": "others write at this moment",
    },
  },
  {
    path: "/api/overrides/{id}",
    method: "delete",
    summary: "Lifts an override.",
    answer: "Override",
    errors: { "400": "`by` is not a name", "404": "no override with this id is in force" },
  },
  {
    path: "/api/replication",
    summary: "How far replication is in each target, its jobs and conflicts, newest first, and the queue of work.",
    answer: "Replication",
    query: LIMIT,
  },
  ...ENCODING_OPERATIONS,
  {
    path: "/api/events",
    summary: "Server-sent events: `health` at each transition, `catalogue` and `override` at each change, `heartbeat` in between.",
    answer: "text/event-stream",
    errors: { "503": "as many listeners as allowed are connected" },
  },
  { path: "/api/openapi.json", summary: "This document.", answer: "application/json" },
];

/** The document. `secured` says that a token is configured. */
export function openApiDocument(version: string, secured: boolean): Document {
  return {
    openapi: "3.1.0",
    info: {
      title: "paircast admin API",
      version,
      description: "Views of a gateway (health, catalogue, replication, decisions), and operators' overrides.",
    },
    paths: pathsOf(secured),
    components: {
      schemas: Object.fromEntries(Object.entries(adminSchemas).map(([name, schema]) => [name, jsonSchema(schema)])),
      ...(secured ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } } : {}),
    },
  };
}

function pathsOf(secured: boolean): Document {
  const paths = new Map<string, Record<string, Document>>();
  for (const operation of OPERATIONS) {
    const methods = paths.get(operation.path) ?? {};
    paths.set(operation.path, { ...methods, [operation.method ?? "get"]: describe(operation, secured) });
  }
  return Object.fromEntries(paths);
}

function describe(operation: Operation, secured: boolean): Document {
  const { summary, answer, errors, open, path, method = "get", body, status = "200" } = operation;
  const failures = Object.entries({ ...(open === true ? {} : refusals(method, secured)), ...errors });
  return {
    operationId: `${method === "get" ? "" : `${method}_`}${path.replaceAll(/[^a-z]+/g, "_").replaceAll(/^_|_$/g, "")}`,
    summary,
    parameters: parameters(operation),
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body) } }),
    responses: {
      [status]: { description: "the answer", content: content(answer) },
      ...Object.fromEntries(failures.map(([code, description]) => [code, { description, content: content("Error") }])),
    },
    ...(secured && open !== true ? { security: [{ token: [] }] } : {}),
  };
}

function refusals(method: string, secured: boolean): Readonly<Record<string, string>> {
  const token = secured ? { "401": "the token is missing or wrong" } : {};
  if (method !== "get") return { ...token, "403": "asked under a foreign host name, or by a page of another origin" };
  return secured ? token : { "403": "asked under a foreign host name" };
}

function parameters({ path, query, method = "get" }: Operation): Document[] {
  return [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(query ?? {}).map(([name, field]) => ({ name, in: "query", ...field, schema: { type: "string" } })),
    ...(method === "get" ? [] : [BY]),
  ];
}

function content(answer: Operation["answer"]): Document {
  if (answer.includes("/")) return { [answer]: { schema: answer === "application/json" ? { type: "object" } : { type: "string" } } };
  return { "application/json": { schema: { $ref: `#/components/schemas/${answer}` } } };
}

function jsonSchema(schema: z.ZodType): Document {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
