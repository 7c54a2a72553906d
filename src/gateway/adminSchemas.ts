/** The admin API's answers, once: `/api/openapi.json` is made from these, and the tests check the answers against them. */
import { z } from "zod";
import {
  DECISION_REASONS,
  FAILURE_REASONS,
  HEALTH_STATUSES,
  PLAYBACK_FALLBACKS,
  REWRITING_MODES,
  SERVICES,
  SIGNAL_KINDS,
} from "../core/contracts.ts";
import { encodingSchemas } from "./encodingSchemas.ts";
import { overrideSchemas } from "./overrides/schemas.ts";

const at = z.number().describe("epoch milliseconds");

const serviceHealth = z.strictObject({
  status: z.enum(HEALTH_STATUSES),
  since: at,
  reason: z.enum(FAILURE_REASONS).nullable(),
  detail: z.string().nullable(),
  checkedAt: at.nullable(),
  pending: z.int().describe("consecutive outcomes that speak against the present status"),
  signals: z.array(z.strictObject({ kind: z.enum(SIGNAL_KINDS), detail: z.string() })).optional(),
  share: z.number().optional().describe("share of its viewers that it may have now; left out: 1"),
  heldUntil: at.nullable().optional(),
  latencyMs: z.number().optional().describe("smoothed duration of its successful probes, in milliseconds"),
});

const copyVerification = z.strictObject({
  at,
  blobs: z.int().describe("whose lengths and properties were compared"),
  content: z.enum(["none", "md5", "sampled", "full"]),
  readBlobs: z.int().describe("of which something was read"),
  readBytes: z.int(),
  playback: z.enum(["none", "first", "renditions"]),
  next: z.strictObject({ place: z.number(), lap: z.int() }).describe("where sampling goes on"),
});

const catalogueEntry = z.strictObject({
  locatorId: z.string(),
  locatorName: z.string(),
  assetName: z.string(),
  liveEvent: z.string().optional().describe("name of the live event that it is; its copies are verified while they are on air"),
  source: z.string(),
  streamingPolicyName: z.string().nullable(),
  contentKeyPolicyName: z.string().nullable(),
  manifests: z.strictObject({ hls: z.string().nullable(), dash: z.string().nullable() }),
  keys: z.array(z.strictObject({ id: z.string(), fingerprint: z.string().nullable() })),
  keyHost: z
    .enum(["streaming", "region", "gateway", "elsewhere"])
    .optional()
    .describe("where the playlists of a packaged video send players for its key"),
  regions: z.record(
    z.string(),
    z.strictObject({
      state: z.enum(["verified", "withdrawn"]),
      at,
      detail: z.string(),
      aligned: z.boolean().optional(),
      verification: copyVerification.optional().describe("what was looked at the last time; left out: an older version's, or none yet"),
      damage: z
        .strictObject({ blobs: z.array(z.strictObject({ name: z.string(), md5: z.string().nullable() })), more: z.boolean() })
        .optional()
        .describe("blobs that have to be copied again"),
    }),
  ),
  publishedAt: at,
});

const conflict = z.strictObject({
  what: z.string(),
  source: z.string(),
  target: z.string(),
  advice: z.string().describe("what an operator can do"),
  locatorId: z.string().optional(),
  keepsServing: z.literal(true).optional().describe("the target's copy stays in the catalogue"),
});

const job = z.strictObject({
  id: z.string(),
  source: z.string(),
  target: z.string(),
  assetName: z.string(),
  step: z.enum(["planned", "copied", "policed", "located", "verified", "published"]),
  state: z.enum(["running", "done", "failed", "conflict"]),
  attempts: z.int(),
  errorCode: z.string().nullable(),
  errorMessage: z.string().nullable(),
  conflicts: z.array(conflict).describe("what the last run found on the target and refused to overwrite"),
  updatedAt: at,
});

const replicationStatus = {
  at,
  targets: z.array(
    z.strictObject({
      target: z.string(),
      verified: z.int().describe("videos that it may serve"),
      pending: z.int().describe("videos that their source has, verified, and that it lacks or must not serve"),
      oldestPendingAt: at.nullable(),
      failed: z.int().describe("assets whose last job failed, of the newest 1000 jobs"),
      conflicts: z.int().describe("assets in conflict, of the newest 1000"),
      doneLastHour: z.int().describe("jobs that came to their end within the last hour, of the newest 1000"),
    }),
  ),
  queue: z.strictObject({ pending: z.int(), deadLetters: z.int().describe("at most 1000 are counted") }).nullable(),
  backfill: z
    .array(z.strictObject({ region: z.string(), startedAt: at, pages: z.int() }))
    .describe("looks that have not come to their end"),
  lastFullAt: at.nullable().describe("when the last complete look through everything began"),
};

const regionStatus = z.strictObject({
  name: z.string(),
  streaming: z.string(),
  keys: z.string().nullable(),
  services: z.strictObject({ streaming: serviceHealth, keys: serviceHealth.optional() }),
  verified: z.int().describe("locators verified there"),
});

const status = z.strictObject({
  version: z.string(),
  now: at,
  startedAt: at,
  gateway: z.strictObject({ url: z.string(), keysPrefix: z.string() }),
  regions: z.array(regionStatus),
  videos: z.array(catalogueEntry).describe("newest first, at most 200"),
  jobs: z.array(job).describe("newest first, at most 100"),
  sandbox: z.strictObject({ control: z.string() }).nullable(),
});

const probeRecord = z.strictObject({
  at: at.describe("when it began"),
  ok: z.boolean(),
  reason: z.enum(FAILURE_REASONS).nullable(),
  durationMs: z.number(),
  detail: z.string(),
});

const checks = z.strictObject({
  takenAt: at,
  regions: z.array(
    z.strictObject({
      name: z.string(),
      checks: z.array(
        z.strictObject({
          service: z.enum(SERVICES),
          health: serviceHealth,
          history: z.array(probeRecord).describe("the last 64 probes, oldest first"),
        }),
      ),
    }),
  ),
});

const holding = z.enum(["verified", "missing", "found", "absent", "unknown"]);
const verdict = z.enum([...HEALTH_STATUSES, "missing", "absent", "tried", "no_service", "drained", "disabled", "no_keys", "ramping"]);

const explanation = z.strictObject({
  method: z.string(),
  target: z.string(),
  outcome: z.enum(["routed", "refused", "local"]),
  request: z
    .strictObject({
      kind: z.enum(["manifest", "media", "key"]),
      service: z.enum(SERVICES),
      locatorId: z.string().nullable(),
      keyId: z.string().nullable(),
      target: z.string(),
      route: z.int().optional().describe("index into gateway.routes; left out: none of them"),
    })
    .nullable(),
  rejection: z
    .strictObject({
      status: z.int(),
      reason: z.enum(["method", "path", "too_long", "bad_request"]),
      code: z.string(),
      message: z.string(),
      allow: z.string().nullable(),
    })
    .nullable(),
  source: z.enum(["catalogue", "cached", "nothing"]).nullable().describe("`nothing`: the gateway would ask the regions first"),
  holdings: z.record(z.string(), holding).nullable(),
  decision: z
    .strictObject({
      region: z.string().nullable(),
      reason: z.enum(DECISION_REASONS),
      considered: z.array(z.strictObject({ region: z.string(), eligible: z.boolean(), verdict, detail: z.string() })),
    })
    .nullable(),
  routing: z
    .strictObject({
      route: z.int().nullable().describe("index into gateway.routes; null: gateway.routing"),
      method: z.enum(["priority", "weighted", "geographic", "latency", "hash"]),
      why: z.string(),
      session: z.string().nullable(),
      country: z.string().nullable(),
    })
    .nullable(),
  playback: z
    .strictObject({
      mode: z.enum(["redirect", ...REWRITING_MODES]).describe("of the route"),
      answer: z.enum(["redirect", ...REWRITING_MODES]),
      fallback: z.enum(PLAYBACK_FALLBACKS).nullable().describe("why it is a redirect although the route has another mode"),
      pathways: z.array(z.string()).describe("regions that the manifest names, best first"),
      keys: z.enum(["none", "gateway", "region", "elsewhere", "unknown"]).describe("whom players ask for keys"),
      why: z.string(),
    })
    .nullable()
    .describe("what becomes of a request for a manifest; null for all others"),
  location: z.string().nullable(),
});

export const adminSchemas = {
  Status: status,
  Checks: checks,
  Explanation: explanation,
  Catalogue: z.strictObject({ entries: z.array(catalogueEntry), total: z.int().describe("entries in the whole catalogue") }),
  Replication: z.strictObject({
    ...replicationStatus,
    jobs: z.array(job).describe("newest first"),
    conflicts: z.array(job).describe("jobs that have conflicts, newest first"),
  }),
  ...overrideSchemas,
  ...encodingSchemas,
  Health: z.strictObject({ status: z.literal("ok") }),
  Error: z.strictObject({ error: z.string(), message: z.string(), requestId: z.string() }),
} as const;
