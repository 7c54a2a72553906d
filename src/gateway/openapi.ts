/** The OpenAPI 3.1 document of the admin API. */
import { z } from "zod";
import { adminSchemas } from "./adminSchemas.ts";

type SchemaName = keyof typeof adminSchemas;
type Document = Readonly<Record<string, unknown>>;

interface Operation {
  readonly path: string;
  readonly summary: string;
  /** Schema of the JSON answer, or the media type of another one. */
  readonly answer: SchemaName | `${string}/${string}`;
  readonly query?: Readonly<Record<string, { readonly required: boolean; readonly description: string }>>;
  readonly errors?: Readonly<Record<string, string>>;
  readonly open?: true;
}

const LIMIT = { limit: { required: false, description: "at most this many, 1 to 1000; default 100" } };

/** Every operation of the admin API but the status page's own files. */
export const OPERATIONS: readonly Operation[] = [
  { path: "/healthz", summary: "Whether the process answers.", answer: "Health", open: true },
  { path: "/metrics", summary: "Metrics in Prometheus' text format.", answer: "text/plain" },
  { path: "/api/status", summary: "Regions, videos and replication jobs at one moment.", answer: "Status" },
  {
    path: "/api/explain",
    summary: "How a player's request would be routed now, with every candidate and why. Asks no region.",
    answer: "Explanation",
    query: {
      url: { required: true, description: "URL of the gateway, or its path and query" },
      method: { required: false, description: "default GET" },
    },
    errors: { "400": "`url` is missing, or neither an http(s) URL nor a path" },
  },
  { path: "/api/catalogue", summary: "Which locator is verified in which region, newest first.", answer: "Catalogue", query: LIMIT },
  { path: "/api/replication", summary: "Replication jobs, newest first.", answer: "Replication", query: LIMIT },
  {
    path: "/api/events",
    summary: "Server-sent events: `health` at each transition, `catalogue` at each change, `heartbeat` in between.",
    answer: "text/event-stream",
    errors: { "503": "as many listeners as allowed are connected" },
  },
  { path: "/api/openapi.json", summary: "This document.", answer: "application/json" },
];

/** The document. `secured` says that a token is configured. */
export function openApiDocument(version: string, secured: boolean): Document {
  return {
    openapi: "3.1.0",
    info: { title: "paircast admin API", version, description: "Read-only views of a gateway: health, catalogue, replication, decisions." },
    paths: Object.fromEntries(OPERATIONS.map((operation) => [operation.path, { get: describe(operation, secured) }])),
    components: {
      schemas: Object.fromEntries(Object.entries(adminSchemas).map(([name, schema]) => [name, jsonSchema(schema)])),
      ...(secured ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } } : {}),
    },
  };
}

function describe({ summary, answer, query, errors, open, path }: Operation, secured: boolean): Document {
  const refused = secured ? { "401": "the token is missing or wrong" } : { "403": "asked under a foreign host name" };
  const failures = Object.entries({ ...(open === true ? {} : refused), ...errors });
  return {
    operationId: path.replaceAll(/[^a-z]+/g, "_").replaceAll(/^_|_$/g, ""),
    summary,
    parameters: Object.entries(query ?? {}).map(([name, field]) => ({ name, in: "query", ...field, schema: { type: "string" } })),
    responses: {
      "200": { description: "the answer", content: content(answer) },
      ...Object.fromEntries(failures.map(([status, description]) => [status, { description, content: content("Error") }])),
    },
    ...(secured && open !== true ? { security: [{ token: [] }] } : {}),
  };
}

function content(answer: Operation["answer"]): Document {
  if (answer.includes("/")) return { [answer]: { schema: answer === "application/json" ? { type: "object" } : { type: "string" } } };
  return { "application/json": { schema: { $ref: `#/components/schemas/${answer}` } } };
}

function jsonSchema(schema: z.ZodType): Document {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema);
  return rest;
}
