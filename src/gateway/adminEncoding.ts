/** `/api/encoding`: jobs and the accounts that encode. Who may ask is the admin guard's business. */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import { ENCODING_STATES, type EncodingState } from "../core/encoding.ts";
import { PaircastError } from "../core/errors.ts";
import type { EncodingService, ShownJob } from "../core/ports/encodingService.ts";
import { encodingRequest } from "./encodingSchemas.ts";
import { operatorName } from "./overrides/schemas.ts";

export interface AdminEncodingOptions {
  /** Null where nothing is encoded. */
  readonly service: EncodingService | null;
  readonly limitOf: (context: Context) => number;
  readonly failure: (context: Context, status: 400 | 404 | 409 | 413 | 415 | 503, error: string, message: string) => Response;
}

const MAX_BODY_BYTES = 65_536;
const JOBS = "/api/encoding/jobs";

export function adminEncoding(options: AdminEncodingOptions): Hono {
  const app = new Hono();
  const { failure } = options;
  app.get("/api/encoding", async (context) => asked(context, options, async (service) => overview(context, service)));
  app.get(JOBS, async (context) => asked(context, options, async (service) => list(context, options, service)));
  const tooLarge = (context: Context) => failure(context, 413, "body_too_large", "a job has at most 64 KB");
  app.post(JOBS, bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (context) =>
    asked(context, options, async (service) => submit(context, options, service)),
  );
  app.put(`${JOBS}/:id/input`, async (context) => asked(context, options, async (service) => upload(context, options, service)));
  app.get(`${JOBS}/:id`, async (context) =>
    asked(context, options, async (service) => shown(context, options, await service.job(context.req.param("id")))),
  );
  app.post(`${JOBS}/:id/cancel`, async (context) =>
    asked(context, options, async (service) => shown(context, options, await service.cancel(context.req.param("id"), operatorOf(context)))),
  );
  app.post(`${JOBS}/:id/retry`, async (context) =>
    asked(context, options, async (service) => shown(context, options, await service.retry(context.req.param("id"), operatorOf(context)))),
  );
  app.post("/api/encoding/accounts/:region/readmit", async (context) =>
    asked(context, options, async (service) => {
      if (await service.readmit(context.req.param("region"), operatorOf(context))) return overview(context, service);
      return failure(context, 404, "unknown_account", "no region of this name encodes");
    }),
  );
  return app;
}

/** Who does it, for the record; what is no name is not refused: nobody is to be kept from stopping a job by it. */
function operatorOf(context: Context): string {
  return operatorName.safeParse(context.req.query("by")).data ?? "api";
}

async function overview(context: Context, service: EncodingService): Promise<Response> {
  return context.json({ accounts: await service.accounts(), counts: await service.count(), transforms: service.transforms() });
}

async function list(context: Context, { limitOf, failure }: AdminEncodingOptions, service: EncodingService): Promise<Response> {
  const { state, after } = context.req.query();
  const known = stateOf(state);
  if (state !== undefined && known === null) return failure(context, 400, "bad_state", `state: write one of ${ENCODING_STATES.join(", ")}`);
  const filter = { limit: limitOf(context), ...(known === null ? {} : { state: known }), ...(after === undefined ? {} : { after }) };
  return context.json({ jobs: await service.list(filter), counts: await service.count() });
}

function stateOf(state: string | undefined): EncodingState | null {
  return ENCODING_STATES.find((each) => each === state) ?? null;
}

async function submit(context: Context, { failure }: AdminEncodingOptions, service: EncodingService): Promise<Response> {
  // A form of another site can send JSON as text/plain without asking first, and as application/json it cannot.
  if (!/^application\/json\b/i.test(context.req.header("content-type") ?? ""))
    return failure(context, 415, "not_json", "send the job as application/json");
  const body = encodingRequest.safeParse(await context.req.json().catch(() => null));
  if (!body.success) return failure(context, 400, "bad_job", problemsOf(body.error));
  const { clientId = null, ...request } = body.data;
  const { job, created } = await service.submit({ clientId, ...request });
  const status = `${JOBS}/${job.id}`;
  context.header("location", status);
  return context.json({ job, created, status, upload: job.waitingFor === "upload" ? `${status}/input` : null }, 202);
}

async function upload(context: Context, options: AdminEncodingOptions, service: EncodingService): Promise<Response> {
  const { body, signal } = context.req.raw;
  if (body === null) return options.failure(context, 400, "upload_incomplete", "send the file as the body");
  return shown(context, options, await service.upload(context.req.param("id") ?? "", body, signal));
}

function shown(context: Context, { failure }: AdminEncodingOptions, job: ShownJob | null): Response {
  if (job !== null) return context.json({ job });
  return failure(context, 404, "unknown_job", "there is no such job: it was never there, or its record has been removed");
}

const STATUS: Readonly<Record<string, 400 | 409 | 413 | 503>> = {
  transform_unknown: 400,
  unknown_region: 400,
  client_id_used: 409,
  state_unavailable: 503,
  upload_too_large: 413,
  upload_incomplete: 400,
  upload_stalled: 400,
  upload_unwanted: 409,
  upload_unavailable: 503,
  uploads_busy: 503,
};

async function asked(
  context: Context,
  { service, failure }: AdminEncodingOptions,
  act: (service: EncodingService) => Promise<Response>,
): Promise<Response> {
  if (service === null) return failure(context, 404, "encoding_off", "nothing is encoded here: see `encoding` in the configuration");
  try {
    return await act(service);
  } catch (error) {
    const status = error instanceof PaircastError ? STATUS[error.code] : undefined;
    if (!(error instanceof PaircastError) || status === undefined) throw error;
    return failure(context, status, error.code, error.message);
  }
}

function problemsOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
}
