/** `/api/overrides`: operators' drains, disables and pins. Who may write is the admin guard's business; `by` is for the audit only. */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { OverrideControl } from "./overrides/control.ts";
import { FORCEABLE, MAX_OVERRIDE_MS, OVERRIDE_REFUSALS, type OverrideRequest } from "./overrides/rules.ts";
import { operatorName, overrideRequest } from "./overrides/schemas.ts";

export type OverrideFailure = (context: Context, status: 400 | 404 | 409 | 413 | 415 | 503, error: string, message: string) => Response;

export interface AdminOverridesOptions {
  readonly control: OverrideControl;
  readonly clock: Clock;
  /** How many audit events a request asks for. */
  readonly limitOf: (context: Context) => number;
  readonly failure: OverrideFailure;
}

const MAX_BODY_BYTES = 16_384;
/** Names the operator where body and query do not. */
const BY_HEADER = "x-paircast-by";
const ANONYMOUS = "api";
const NO_NAME = "by: use letters, digits, spaces and . _ @ + -, at most 64";

export function adminOverrides({ control, clock, limitOf, failure }: AdminOverridesOptions): Hono {
  const app = new Hono();
  const tooLarge = (context: Context) => failure(context, 413, "body_too_large", "an override request has at most 16 KB");
  app.get("/api/overrides", async (context) => {
    const audit = await control.audit(limitOf(context));
    return context.json({ now: clock.now(), maxDurationMs: MAX_OVERRIDE_MS, overrides: control.active(), audit });
  });
  app.post("/api/overrides", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (context) => {
    // A form of another site can send JSON as text/plain without asking first, and as application/json it cannot.
    if (!/^application\/json\b/i.test(context.req.header("content-type") ?? ""))
      return failure(context, 415, "not_json", "send the override as application/json");
    const body = overrideRequest.safeParse(await context.req.json().catch(() => null));
    if (!body.success) return failure(context, 400, "bad_override", problemsOf(body.error));
    const by = body.data.by ?? operatorOf(context);
    if (by === null) return failure(context, 400, "bad_override", NO_NAME);
    return answer(context, failure, async () => context.json({ override: await control.set(requestOf(body.data, by)) }, 201));
  });
  app.delete("/api/overrides/:id", async (context) => {
    const by = operatorOf(context);
    if (by === null) return failure(context, 400, "bad_override", NO_NAME);
    const override = await control.lift(context.req.param("id"), by);
    if (override !== null) return context.json({ override });
    return failure(context, 404, "unknown_override", "no override with this id is in force: it was lifted, replaced, or has expired");
  });
  return app;
}

function requestOf(
  { kind, region, service, reason, duration, expiresAt, force }: z.output<typeof overrideRequest>,
  by: string,
): OverrideRequest {
  // With both, the explicit end counts.
  return { kind, region, service, reason, durationMs: duration ?? null, expiresAt: expiresAt ?? null, by, force };
}

/** The query takes any letters, which a header does not. Null for what is no name. */
function operatorOf(context: Context): string | null {
  const given = context.req.query("by") ?? context.req.header(BY_HEADER);
  return given === undefined ? ANONYMOUS : (operatorName.safeParse(given).data ?? null);
}

const CONFLICTS: readonly string[] = [...FORCEABLE, "contradiction"];

async function answer(context: Context, failure: OverrideFailure, act: () => Promise<Response>): Promise<Response> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof PaircastError)) throw error;
    const { code, message } = error;
    if (code === "overrides_conflict") return failure(context, 503, code, "others are setting overrides at this moment; try again");
    if (!OVERRIDE_REFUSALS.some((refusal) => refusal === code)) throw error;
    return failure(context, CONFLICTS.includes(code) ? 409 : 400, code, message);
  }
}

function problemsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
}
