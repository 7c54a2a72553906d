/** Whether, when and how much is deleted in the targets after a source has stopped publishing it. */
import { z } from "zod";
import { durationFrom } from "./units.ts";

const HOW = "write a share of a target's videos (1%, above 0% and at most 100%), or how many (a whole number)";

const limit = z
  .union([z.string(HOW), z.int(HOW).min(1, HOW)], HOW)
  .transform((written, context): { readonly share: number } | { readonly count: number } => {
    if (typeof written === "number") return { count: written };
    const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(written)?.[1]);
    if (percent > 0 && percent <= 100) return { share: percent / 100 };
    context.addIssue({ code: "custom", message: HOW });
    return z.NEVER;
  });

export const deletion = z.strictObject({
  /** False: copies stay for ever, and serve, whatever becomes of their source. */
  enabled: z.boolean().prefault(false),
  /** Between the moment when a loss is noted in the list and the deletion. */
  grace: durationFrom(1_000).prefault("7d"),
  /** More than this in a `window`, of the videos of one target, is never deleted; and where more is due at once, nothing is before it is approved. */
  maxShare: limit.prefault("1%"),
  window: durationFrom(1_000).prefault("1d"),
  /** `required`: nothing is deleted that no operator has approved (`paircast deletions approve`). */
  approval: z.enum(["none", "required"]).prefault("none"),
  /** Also assets with their files, where no locator streams them any more on either side. False: only locators and streaming policies. */
  assets: z.boolean().prefault(false),
  /** How often `serve` looks what is due. */
  every: durationFrom(500).prefault("10m"),
  /** How often `serve` looks through the lists of all targets for what is nobody's, also where nothing is deleted; left out: never. */
  orphans: durationFrom(60_000).optional(),
});
