/** Requests and answers of `/api/encoding`. */
import { z } from "zod";
import { isLoopbackUrl } from "../core/config/units.ts";
import { ACCOUNT_JOB_STATES, ACCOUNT_STATUSES, ENCODING_STATES, PRIORITIES } from "../core/encoding.ts";

const at = z.number().describe("epoch milliseconds");
const name = z.string().min(1).max(260);

const urlInput = z.strictObject({
  kind: z.literal("url"),
  url: z
    .url({ protocol: /^https?$/, error: "write an absolute https:// URL" })
    .max(8_000)
    .refine((url) => url.startsWith("https:") || isLoopbackUrl(url), "write an https URL (plain http is for loopback addresses only)")
    .describe("an address that every region can read; a SAS in it is never shown"),
});
const assetInput = z.strictObject({
  kind: z.literal("asset"),
  region: z.string(),
  assetName: name,
  files: z.array(name).max(100).prefault([]).describe("empty: the asset's only file"),
});

export const encodingRequest = z.strictObject({
  clientId: z
    .string()
    .regex(/^[\w.:@-]{1,100}$/, "use letters, digits and . _ : @ -, at most 100")
    .optional()
    .describe("the caller's own id: a second job of the same is the first one"),
  transform: name,
  input: z.discriminatedUnion("kind", [urlInput, assetInput]),
  priority: z.enum(PRIORITIES).prefault("normal"),
});

const attempt = z.strictObject({
  number: z.int(),
  round: z.int().describe("a retry begins a new one"),
  account: z.string(),
  jobName: z.string().describe("of the job in the account"),
  trial: z.boolean().describe("with it an account that was out is tried"),
  state: z.enum(ACCOUNT_JOB_STATES).nullable(),
  progress: z.number().describe("percent"),
  placedAt: at,
  submittedAt: at.nullable(),
  scheduledAt: at.nullable(),
  processingAt: at.nullable(),
  finalAt: at.nullable(),
  end: z.enum(["won", "failed", "rejected", "refused", "moved", "canceled"]).nullable(),
  endDetail: z.string().nullable(),
  late: z.boolean().describe("it finished although it had been given up; its output never counts"),
  owed: z.enum(["remove", "tidy"]).nullable().describe("what is left to clean up in the account"),
});

const shownInput = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("url"), url: z.string() }),
  z.strictObject({ kind: z.literal("asset"), region: z.string(), assetName: z.string(), files: z.array(z.string()) }),
]);

const job = z.strictObject({
  id: z.string(),
  clientId: z.string(),
  transform: z.string(),
  input: shownInput,
  priority: z.enum(PRIORITIES),
  state: z.enum(ENCODING_STATES),
  createdAt: at,
  round: z.int(),
  waitingFor: z.enum(["new", "full", "none", "again"]).nullable(),
  failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  finalAt: at.nullable(),
  attempts: z.array(attempt).describe("oldest first"),
  result: z.strictObject({ attempt: z.int(), account: z.string(), assets: z.array(z.string()), at }).nullable(),
  playback: z
    .array(z.strictObject({ locatorId: z.string(), hls: z.string().nullable(), dash: z.string().nullable() }))
    .describe("one per output; paths on the player listener, null until a copy is verified"),
});

const account = z.strictObject({
  account: z.string(),
  status: z.enum(ACCOUNT_STATUSES),
  since: at,
  reason: z.enum(["unreachable", "failing", "denied", "stuck", "failures"]).nullable(),
  detail: z.string().nullable(),
  pausedUntil: at.nullable().describe("nothing is submitted before: it asked for less"),
  inFlight: z.int(),
  maxInFlight: z.int(),
  disabled: z.boolean().describe("an operator keeps jobs away from it"),
});

const counts = z.strictObject({ waiting: z.int(), running: z.int(), finished: z.int(), failed: z.int(), canceled: z.int() });

export const encodingSchemas = {
  EncodingRequest: encodingRequest,
  EncodingSubmitted: z.strictObject({
    job,
    created: z.boolean().describe("false: it was there already"),
    status: z.string().describe("path to ask for its state"),
  }),
  EncodingJob: z.strictObject({ job }),
  EncodingJobs: z.strictObject({ jobs: z.array(job), counts }),
  Encoding: z.strictObject({ accounts: z.array(account), counts }),
} as const;
