/** Encoding: which accounts encode, by which transforms, how long they may take, and who is told. Left out, nothing is encoded. */
import { z } from "zod";
import { encodingEvents, eventQueue } from "./events.ts";
import { duration, durationFrom, isLoopbackUrl, nonEmpty, regionName } from "./units.ts";
import { size } from "./verification.ts";

const account = z.strictObject({
  region: regionName,
  /** Jobs that it may have at a time. */
  maxInFlight: z.int().min(1).max(10_000).prefault(10),
});

const transform = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, "use letters, digits and . _ -, at most 80"),
  description: nonEmpty.optional(),
  /** The service's own JSON, one for each output: `preset`, and what else it takes. Passed on as it is. */
  outputs: z.array(z.record(z.string(), z.unknown())).min(1, "name at least one output"),
});

const publish = z.strictObject({
  /** Of the locator that each output gets. It must be in the account that made the output. */
  streamingPolicy: nonEmpty,
  /** Default content key policy of that locator, for a streaming policy that encrypts. */
  contentKeyPolicy: nonEmpty.optional(),
});

const notify = z
  .strictObject({
    /** What becomes of jobs is posted here as JSON, at least once each. Plain http only on a loopback address. */
    url: z
      .url({ protocol: /^https?$/, error: "write an http(s) URL" })
      .refine(
        (url) => url.startsWith("https:") || isLoopbackUrl(url),
        "a secret is sent here: use https (plain http is allowed on a loopback address only)",
      )
      .optional(),
    /** Sent with it in the header x-paircast-events-key. */
    secret: nonEmpty.min(16, "use at least 16 characters").optional(),
    /** The same, put into a Storage queue in Base64; it is made where it is not there. */
    queue: eventQueue.optional(),
    /** `plain`: the notice itself; `cloudevents`: as the data of a CloudEvent 1.0. */
    format: z.enum(["plain", "cloudevents"]).prefault("plain"),
  })
  .superRefine(({ url, secret, queue }, context) => {
    const problem = (path: string, message: string): void => {
      context.addIssue({ code: "custom", path: [path], message });
    };
    if (url === undefined && queue === undefined) problem("url", "nobody would be told: set url, or queue, or both");
    if (url !== undefined && secret === undefined) problem("secret", "whoever listens has to know who posts: set a secret");
    if (url === undefined && secret !== undefined) problem("secret", "it is sent to `url` only: set that, or remove this");
  });

const limits = z.strictObject({
  /** For an account to take a job. */
  submit: durationFrom(1000).prefault("2m"),
  /** In a state without news: accepted, waiting for an encoder, encoding without progress. */
  queued: durationFrom(1000).prefault("15m"),
  scheduled: durationFrom(1000).prefault("15m"),
  stalled: durationFrom(1000).prefault("20m"),
  /** A job of which there was news this lately stays in an account that answers no more. */
  alive: duration.prefault("3m"),
  /** Accounts that one job is tried in. */
  attempts: z.int().min(1).max(20).prefault(5),
});

const health = z.strictObject({
  /** How often an account is asked whether it answers. */
  interval: durationFrom(100).prefault("30s"),
  /** Calls in a row that fail, and for how long at least, until an account is out; calls that succeed in a row until it is back. */
  fall: z.int().min(1).max(100).prefault(3),
  fallFor: duration.prefault("45s"),
  rise: z.int().min(1).max(100).prefault(3),
  /** Pause before an account whose jobs went wrong is tried again. */
  hold: duration.prefault("2m"),
});

const uploads = z.strictObject({
  /** Regions in which an uploaded file is kept until its job has finished. */
  copies: z.int().min(1).max(10).prefault(2),
  /** Of one file. A blob of blocks takes no more than 390 GiB. */
  maxSize: size.refine((bytes) => bytes > 0 && bytes <= 390 * 2 ** 30, "write a size of at most 390GiB").prefault("100GiB"),
  /** How long a job waits for its file, from when it was last begun. */
  within: durationFrom(60_000).prefault("24h"),
});

export const encoding = z.strictObject({
  /** Regions whose media accounts encode; left out: all of the driver `ams`. */
  accounts: z.array(account).min(1, "name at least one account").optional(),
  /** Created or updated in an account before its first job. */
  transforms: z.array(transform).min(1, "name at least one transform"),
  /** How finished outputs are published; left out: they stay unpublished. */
  publish: publish.optional(),
  /** Who else is told what becomes of jobs; left out: nobody. */
  notify: notify.optional(),
  /** Events of Event Grid about jobs; left out: accounts are asked. */
  events: encodingEvents.optional(),
  uploads: uploads.prefault({}),
  limits: limits.prefault({}),
  health: health.prefault({}),
  /** How often `serve` looks for jobs that are due. */
  tick: durationFrom(50).prefault("1s"),
  /** The silence of a job after which its account is asked for it. */
  check: durationFrom(500).prefault("5m"),
  /** How long records of jobs that are over are kept. */
  retention: durationFrom(60_000).prefault("30d"),
});
