/** Requests and answers of `/api/encoding`. */
import { z } from "zod";
import { isLoopbackUrl } from "../core/config/units.ts";
import { ACCOUNT_JOB_STATES, ACCOUNT_STATUSES, ENCODING_STATES, PRIORITIES, WAITING_FOR } from "../core/encoding.ts";

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

const uploadInput = z.strictObject({
  kind: z.literal("upload"),
  fileName: z
    .string()
    .regex(/^[^\p{Cc}/\\?#%]{1,200}$/u, "use a plain file name: no / \\ ? # %, at most 200")
    .refine((name) => !/^\.{1,2}$|\.$/.test(name), "a file name does not end with a dot")
    .describe("the file itself is sent by PUT to the answer's `upload`"),
  bytes: z.int().min(1).describe("length of the file"),
});

export const encodingRequest = z.strictObject({
  clientId: z
    .string()
    .regex(/^[\w.:@-]{1,100}$/, "use letters, digits and . _ : @ -, at most 100")
    .optional()
    .describe("the caller's own id: a second job of the same is the first one"),
  transform: name,
  input: z.discriminatedUnion("kind", [urlInput, assetInput, uploadInput]),
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
  end: z.enum(["won", "failed", "rejected", "refused", "withheld", "moved", "canceled"]).nullable(),
  endedAt: at.nullable().describe("when it ended for the job; `finalAt` is when the account was done"),
  endDetail: z.string().nullable(),
  late: z.boolean().describe("it finished although it had been given up; its output never counts"),
  owed: z.enum(["remove", "tidy"]).nullable().describe("what is left to clean up in the account"),
});

const shownInput = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("url"), url: z.string() }),
  z.strictObject({ kind: z.literal("asset"), region: z.string(), assetName: z.string(), files: z.array(z.string()) }),
  z.strictObject({ kind: z.literal("upload"), fileName: z.string(), bytes: z.int() }),
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
  waitingFor: z.enum(WAITING_FOR).nullable().describe("upload: for its file, see EncodingSubmitted"),
  failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  finalAt: at.nullable(),
  copies: z
    .array(z.strictObject({ region: z.string(), upload: z.int(), state: z.enum(["coming", "kept", "owed"]) }))
    .describe("where its uploaded file is; owed: still to be removed"),
  attempts: z.array(attempt).describe("oldest first"),
  actions: z
    .array(z.strictObject({ kind: z.enum(["cancel", "retry"]), by: z.string(), at }))
    .describe("what operators did with it, oldest first; the names prove nothing"),
  result: z.strictObject({ attempt: z.int(), account: z.string(), assets: z.array(z.string()), at }).nullable(),
  playback: z
    .array(z.strictObject({ locatorId: z.string(), hls: z.string().nullable(), dash: z.string().nullable() }))
    .describe("one per output; paths on the player listener, null until a copy is verified"),
});

const rates = z.strictObject({
  windowMs: z.number().describe("the stretch of time that is counted, back from now"),
  finished: z.int(),
  failed: z.int().describe("by the account's own fault"),
  stuck: z.int().describe("taken away because they made no progress"),
  finishedPerHour: z.number(),
  failureShare: z.number().nullable().describe("share of those that ended that failed or got stuck, 0 to 1; null where none ended"),
});

const transform = z.strictObject({ name: z.string(), description: z.string().nullable(), outputs: z.int() });

const account = z.strictObject({
  account: z.string(),
  status: z.enum(ACCOUNT_STATUSES),
  since: at,
  reason: z.enum(["unreachable", "failing", "denied", "stuck", "failures"]).nullable(),
  detail: z.string().nullable(),
  pausedUntil: at.nullable().describe("nothing is submitted before: it asked for less"),
  inFlight: z.int(),
  maxInFlight: z.int(),
  capacity: z.int().describe("how many of these it may have now: none while it is out, few at first when it has returned"),
  heldUntil: at.nullable().describe("it is not tried again before"),
  rates,
  disabled: z.boolean().describe("an operator keeps jobs away from it"),
  readmitted: z.strictObject({ by: z.string(), at }).nullable().describe("the operator who had it used again, since it was out last"),
});

const counts = z.strictObject({ waiting: z.int(), running: z.int(), finished: z.int(), failed: z.int(), canceled: z.int() });

export const encodingSchemas = {
  EncodingRequest: encodingRequest,
  EncodingSubmitted: z.strictObject({
    job,
    created: z.boolean().describe("false: it was there already"),
    status: z.string().describe("path to ask for its state"),
    upload: z.string().nullable().describe("path to PUT its file to; null: no file is waited for"),
  }),
  EncodingJob: z.strictObject({ job }),
  EncodingJobs: z.strictObject({ jobs: z.array(job), counts }),
  Encoding: z.strictObject({ accounts: z.array(account), counts, transforms: z.array(transform) }),
} as const;
