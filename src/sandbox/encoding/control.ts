/** What the control port has of a region's jobs and of their events. */
import { Hono } from "hono";
import { z } from "zod";
import { body, Refusal } from "../controlRequest.ts";
import type { EventGrid } from "../events/eventGrid.ts";
import { HOLDING_STATES, type JobBehaviour, type JobSettings } from "../management/jobBehaviour.ts";
import { JOB_ERROR_CATEGORIES, JOB_ERROR_CODES, JOB_RETRIES } from "../management/jobErrors.ts";

export interface EncodingDesk {
  readonly behaviour: Pick<JobBehaviour, "settings" | "change" | "reset">;
  readonly events: Pick<EventGrid, "disturbance" | "disturb" | "calm" | "subscribe" | "unsubscribe" | "subscriptions">;
}

const MOST_MS = 24 * 3_600_000;
const duration = z.number().min(0).max(MOST_MS).optional();
const share = z.number().min(0).max(1).optional();
const count = z.int().min(1).nullable().prefault(null);
const failure = z.strictObject({
  code: z.enum(JOB_ERROR_CODES),
  category: z.enum(JOB_ERROR_CATEGORIES).optional(),
  retry: z.enum(JOB_RETRIES).optional(),
  atPercent: z.number().min(0).max(100).prefault(0),
  times: count,
});
const apiFailure = z.strictObject({
  status: z.int().min(400).max(599),
  retryAfterS: z.int().min(0).max(86_400).nullable().prefault(null),
  afterEffect: z.boolean().prefault(false),
  times: count,
});
const jobsBody = z.strictObject({
  queuedMs: duration,
  scheduledMs: duration,
  processingMs: duration,
  steps: z.int().min(1).max(100).optional(),
  maxConcurrent: z.int().min(0).max(10_000).optional(),
  stuck: z.enum(HOLDING_STATES).nullable().optional(),
  fail: failure.nullable().optional(),
  api: apiFailure.nullable().optional(),
});
const eventsBody = z.strictObject({
  lost: share,
  doubled: share,
  reordered: share,
  minDelayMs: duration,
  maxDelayMs: duration,
  overtakenMs: duration,
  seed: z.int().min(0).nullable().optional(),
});
const address = z.url({ protocol: /^https?$/ });
const subscriptionBody = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9-]{3,64}$/, "write 3 to 64 letters, digits and hyphens"),
  destination: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("webhook"), url: address, headers: z.record(z.string(), z.string()).prefault({}) }),
    z.strictObject({ kind: z.literal("queue"), url: address }),
  ]),
  eventTypes: z.array(z.string().startsWith("Microsoft.Media.")).prefault([]),
});

/** Below `/regions/{name}`: `/jobs`, `/events`, `/subscriptions`. What a body leaves out stays as it is. */
export function encodingControl(find: (region: string) => EncodingDesk): Hono<{ Variables: { desk: EncodingDesk } }> {
  const app = new Hono<{ Variables: { desk: EncodingDesk } }>();
  for (const path of ["/jobs", "/events", "/subscriptions", "/subscriptions/*"]) {
    app.use(path, async (c, next) => {
      c.set("desk", find(c.req.param("name") ?? ""));
      await next();
    });
  }
  app.get("/jobs", (c) => c.json(c.var.desk.behaviour.settings));
  app.post("/jobs", async (c) => {
    const { behaviour } = c.var.desk;
    behaviour.change(given(await body(c, jobsBody)) satisfies Partial<JobSettings>);
    return c.json(behaviour.settings);
  });
  app.delete("/jobs", (c) => {
    c.var.desk.behaviour.reset();
    return c.json(c.var.desk.behaviour.settings);
  });
  app.get("/events", (c) => c.json(c.var.desk.events.disturbance));
  app.post("/events", async (c) => {
    const { events } = c.var.desk;
    events.disturb(given(await body(c, eventsBody)));
    return c.json(events.disturbance);
  });
  app.delete("/events", (c) => {
    c.var.desk.events.calm();
    return c.json(c.var.desk.events.disturbance);
  });
  app.get("/subscriptions", (c) => c.json({ subscriptions: c.var.desk.events.subscriptions() }));
  app.post("/subscriptions", async (c) => c.json(await c.var.desk.events.subscribe(await body(c, subscriptionBody)), 201));
  app.delete("/subscriptions/:subscription", (c) => {
    const name = c.req.param("subscription");
    if (!c.var.desk.events.unsubscribe(name)) throw new Refusal(404, "unknown_subscription", `there is no subscription ${name}`);
    return c.json({ subscriptions: c.var.desk.events.subscriptions() });
  });
  return app;
}

/** Without what was left out: `undefined` would take the place of a setting. */
function given<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
