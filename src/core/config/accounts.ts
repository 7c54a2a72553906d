/** How a region is managed: its driver, its media account or storage, and the credentials for them. */
import { z } from "zod";
import { storageCredential } from "./state.ts";
import { baseUrl, isLoopbackUrl, nonEmpty } from "./units.ts";

/** A problem in words, null where there is none. */
function plainHttp(url: string): string | null {
  if (url.startsWith("https:") || isLoopbackUrl(url)) return null;
  return "credentials are sent here: use https (plain http is allowed on a loopback address only)";
}

const amsCredential = z.discriminatedUnion("kind", [
  /** DefaultAzureCredential: environment, workload or managed identity, Azure CLI. */
  z.strictObject({ kind: z.literal("default") }),
  /** A managed identity of this machine; without `clientId` the system's own. */
  z.strictObject({ kind: z.literal("managed-identity"), clientId: nonEmpty.optional() }),
  /** An application of Entra ID with a secret. */
  z.strictObject({ kind: z.literal("client-secret"), tenantId: nonEmpty, clientId: nonEmpty, clientSecret: nonEmpty }),
  /** Services compatible with AMS that give a token for `POST {tokenUrl}` with `{subscriptionId, apiKey}` (Ravnur). */
  z.strictObject({ kind: z.literal("api-key"), apiKey: nonEmpty, tokenUrl: baseUrl.optional() }),
  /** A token that somebody else sees to: a new one comes with a new configuration. */
  z.strictObject({ kind: z.literal("bearer"), token: nonEmpty }),
  /** A header field with a secret, in the place of a token. */
  z.strictObject({
    kind: z.literal("header"),
    header: z.string().regex(/^[A-Za-z0-9-]+$/, "write the name of a header field"),
    secret: nonEmpty,
  }),
]);

const amsAccount = z.strictObject({
  driver: z.literal("ams"),
  /** Management endpoint: Azure's own, or that of a compatible service. Plain http only on a loopback address. */
  endpoint: baseUrl.prefault("https://management.azure.com"),
  subscriptionId: nonEmpty,
  resourceGroup: nonEmpty,
  accountName: nonEmpty,
  credential: amsCredential.prefault({ kind: "default" }),
});

const mkioAccount = z.strictObject({
  driver: z.literal("mkio"),
  /** Plain http only on a loopback address. */
  endpoint: baseUrl.prefault("https://api.mk.io"),
  project: nonEmpty,
  /** A personal access token. */
  token: nonEmpty,
  /** The header field in which it goes: `Authorization: Bearer …`, or the field of older accounts. */
  tokenHeader: z.enum(["authorization", "x-mkio-token"]).prefault("authorization"),
  /** The storage account of the assets: the service gives no access to it. */
  storage: z.strictObject({
    /** As it is registered in the project. */
    accountName: nonEmpty,
    url: baseUrl,
    credential: storageCredential.prefault({ kind: "default" }),
  }),
});

const azureStorage = z.strictObject({
  kind: z.literal("azure"),
  /** Blob service that holds one container per video. */
  url: baseUrl,
  credential: storageCredential.prefault({ kind: "default" }),
});

const s3Credential = z.discriminatedUnion("kind", [
  /** The SDK's chain: environment, profile, web identity, roles of containers and machines. */
  z.strictObject({ kind: z.literal("default") }),
  z.strictObject({ kind: z.literal("access-key"), accessKeyId: nonEmpty, secretAccessKey: nonEmpty, sessionToken: nonEmpty.optional() }),
]);

const s3Storage = z.strictObject({
  kind: z.literal("s3"),
  /** Of a compatible service; left out: Amazon's own. Plain http only on a loopback address. */
  endpoint: baseUrl.optional(),
  /** The service's region. */
  region: nonEmpty.prefault("us-east-1"),
  /** `https://host/bucket/key` in the place of `https://bucket.host/key`. Default: with `endpoint`. */
  pathStyle: z.boolean().optional(),
  /** One bucket for all videos, each under a prefix of its name; left out: a bucket per video. */
  bucket: nonEmpty.optional(),
  /** Before the videos' own prefixes, in that bucket. */
  prefix: z
    .string()
    .regex(/^([^/]+\/)+$/, "write a prefix that ends with / and does not begin with it, for instance vod/")
    .optional(),
  credential: s3Credential.prefault({ kind: "default" }),
  /** What the policy of the bucket (or buckets) lets anybody read: it is believed, not set. Containers in Azure are created with the same. */
  publicAccess: z.enum(["none", "blob", "container"]).prefault("blob"),
  /** False for a service that ignores If-Match and If-None-Match, where nobody else writes. */
  conditionalWrites: z.boolean().prefault(true),
  /** False for a service whose ETags are no MD5 although it does not say that it encrypts. */
  trustEtags: z.boolean().prefault(true),
});

/** Without a kind it is Azure's: files of earlier versions have none. */
function withKind(section: unknown): unknown {
  return typeof section === "object" && section !== null && !("kind" in section) ? { kind: "azure", ...section } : section;
}

const staticAccount = z.strictObject({
  driver: z.literal("static"),
  /** Where the videos lie; left out for a plain HTTP origin, which is routed to but not replicated. */
  storage: z.preprocess(withKind, z.discriminatedUnion("kind", [azureStorage, s3Storage])).optional(),
  /** Containers that are videos: a name, or a prefix with `*` at its end. */
  containers: nonEmpty.prefault("*"),
});

export const account = z
  .discriminatedUnion("driver", [amsAccount, mkioAccount, staticAccount])
  .prefault({ driver: "static" })
  .superRefine((section, context) => {
    for (const [path, message] of problemsOf(section)) context.addIssue({ code: "custom", path: [...path], message });
  });

export type AccountConfig = z.output<typeof account>;
export type StaticStorageConfig = NonNullable<Extract<AccountConfig, { readonly driver: "static" }>["storage"]>;

type Problem = readonly [path: readonly string[], message: string];

function problemsOf(section: z.output<typeof amsAccount> | z.output<typeof mkioAccount> | z.output<typeof staticAccount>): Problem[] {
  switch (section.driver) {
    case "ams": {
      const tokenUrl = section.credential.kind === "api-key" ? section.credential.tokenUrl : undefined;
      return [...httpProblem(["endpoint"], section.endpoint), ...httpProblem(["credential", "tokenUrl"], tokenUrl)];
    }
    case "mkio":
      return httpProblem(["endpoint"], section.endpoint);
    case "static":
      return section.storage === undefined ? [] : s3Problems(section.storage);
  }
}

function httpProblem(path: readonly string[], url: string | undefined): Problem[] {
  const message = url === undefined ? null : plainHttp(url);
  return message === null ? [] : [[path, message]];
}

function s3Problems(storage: StaticStorageConfig): Problem[] {
  if (storage.kind !== "s3") return [];
  const problems = httpProblem(["storage", "endpoint"], storage.endpoint);
  if (storage.prefix !== undefined && storage.bucket === undefined)
    problems.push([
      ["storage", "prefix"],
      "lies in storage.bucket: name that, or remove this (without a bucket each video has one of its own)",
    ]);
  return problems;
}
