/** What the admin API takes and answers of overrides. */
import { z } from "zod";
import { duration, nonEmpty } from "../../core/config/units.ts";
import { OVERRIDE_KINDS, OVERRIDE_SERVICES } from "../../core/contracts.ts";

const at = z.number().describe("epoch milliseconds");
const service = z.enum(OVERRIDE_SERVICES).describe("encoding: jobs of the region's account, not its viewers");

const override = z.strictObject({
  id: z.string(),
  kind: z.enum(OVERRIDE_KINDS),
  region: z.string(),
  service,
  reason: z.string(),
  by: z.string().describe("a name that the operator gave; it proves nothing"),
  createdAt: at,
  expiresAt: at,
  forced: z.boolean().optional().describe("a pin that holds although the region is unhealthy"),
});

/** A name that may stand in a log line. */
export const operatorName = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@+-]{0,63}$/u, "use letters, digits, spaces and . _ @ + -, at most 64");

export const overrideRequest = z.strictObject({
  kind: z.enum(OVERRIDE_KINDS),
  region: nonEmpty,
  service: service.prefault("all"),
  reason: z.string().prefault(""),
  duration: duration.optional().describe("from now: 30m, 2h; this or `expiresAt`"),
  expiresAt: at.optional(),
  by: operatorName.optional(),
  force: z
    .boolean()
    .prefault(false)
    .describe("also where it takes the last eligible region; a pin then holds while the region is unhealthy, too"),
});

const event = z.strictObject({ at, action: z.enum(["set", "lifted", "expired"]), override, by: z.string() });

export const overrideSchemas = {
  Overrides: z.strictObject({
    now: at,
    maxDurationMs: z.number(),
    overrides: z.array(override).describe("in force, oldest first"),
    audit: z.array(event).describe("newest first, at most `limit`"),
  }),
  Override: z.strictObject({ override }),
  OverrideRequest: overrideRequest,
} as const;
