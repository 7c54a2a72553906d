/** Requests to the control port, checked. */
import type { Context } from "hono";
import type { z } from "zod";
import { PaircastError } from "../core/errors.ts";

type ErrorStatus = 400 | 404 | 409 | 413 | 500 | 502 | 503;

/** An answer other than success. */
export class Refusal extends PaircastError {
  readonly status: ErrorStatus;

  constructor(status: ErrorStatus, code: string, message: string, cause?: unknown) {
    super(code, message, { cause });
    this.status = status;
  }
}

export async function body<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Refusal(400, "bad_request", "the body must be a JSON object", cause);
  }
  return checked(schema, value);
}

export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  throw new Refusal(400, "bad_request", problems.join("; "));
}
