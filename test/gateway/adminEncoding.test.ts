import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { newAccount } from "../../src/encoding/account.ts";
import { adminEncoding } from "../../src/gateway/adminEncoding.ts";
import { adminSchemas } from "../../src/gateway/adminSchemas.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { encodingOver } from "./encodingStage.ts";

const JOBS = "/api/encoding/jobs";
const REQUEST = { clientId: "film", transform: "ladder", input: { kind: "url", url: "https://in.example/a.mp4?sig=secret" } };

function stage(off = false) {
  const store = new MemoryEncoding();
  const app = new Hono().route(
    "/",
    adminEncoding({
      service: off ? null : encodingOver(store),
      limitOf: (context) => Number(context.req.query("limit") ?? 100),
      failure: (context, status, error, message) => context.json({ error, message, requestId: "r" }, status),
    }),
  );
  const ask = async (method: string, path: string, body?: unknown, type = "application/json") =>
    app.request(path, { method, headers: { "content-type": type }, body: body === undefined ? null : JSON.stringify(body) });
  return { store, ask };
}

async function parsed<T>(answer: Response, status: number, schema: z.ZodType<T>): Promise<T> {
  expect(answer.status).toBe(status);
  return schema.parse(await answer.json());
}

describe("/api/encoding", () => {
  it("takes a job in once for each client id, and shows no SAS", async () => {
    const { ask } = stage();
    const answer = await ask("POST", JOBS, REQUEST);
    const first = await parsed(answer, 202, adminSchemas.EncodingSubmitted);
    expect(answer.headers.get("location")).toBe(first.status);
    expect(first).toMatchObject({ created: true, job: { state: "waiting", input: { url: "https://in.example/a.mp4?…" } } });
    const second = await parsed(await ask("POST", JOBS, REQUEST), 202, adminSchemas.EncodingSubmitted);
    expect([second.created, second.job.id]).toEqual([false, first.job.id]);
    const { job } = await parsed(await ask("GET", first.status), 200, adminSchemas.EncodingJob);
    expect(job).toEqual(first.job);
    const { jobs, counts } = await parsed(await ask("GET", `${JOBS}?state=waiting`), 200, adminSchemas.EncodingJobs);
    expect([jobs.map(({ id }) => id), counts.waiting]).toEqual([[job.id], 1]);
  });

  it("cancels, tries again, and says what is not there", async () => {
    const { ask } = stage();
    const { job, status } = await parsed(await ask("POST", JOBS, REQUEST), 202, adminSchemas.EncodingSubmitted);
    const canceled = await parsed(await ask("POST", `${status}/cancel?by=Ada`), 200, adminSchemas.EncodingJob);
    expect([canceled.job.state, canceled.job.round]).toEqual(["canceled", 1]);
    const again = await parsed(await ask("POST", `${status}/retry`), 200, adminSchemas.EncodingJob);
    expect([again.job.id, again.job.state, again.job.round]).toEqual([job.id, "waiting", 2]);
    for (const path of ["/none", "/none/cancel", "/none/retry"])
      await parsed(await ask(path === "/none" ? "GET" : "POST", `${JOBS}${path}`), 404, adminSchemas.Error);
  });

  it.each([
    [{ ...REQUEST, transform: "none" }, 400, "transform_unknown"],
    [{ ...REQUEST, input: { kind: "asset", region: "moon", assetName: "a" } }, 400, "unknown_region"],
    [{ ...REQUEST, input: { kind: "url", url: "http://in.example/a.mp4" } }, 400, "bad_job"],
    [{ ...REQUEST, input: { kind: "url", url: "file:///etc/passwd" } }, 400, "bad_job"],
    [{ ...REQUEST, clientId: "a b" }, 400, "bad_job"],
    [{ ...REQUEST, more: 1 }, 400, "bad_job"],
    [{ ...REQUEST, transform: "x".repeat(70_000) }, 413, "body_too_large"],
  ])("refuses a job %#", async (body, status, code) => {
    expect((await parsed(await stage().ask("POST", JOBS, body), status, adminSchemas.Error)).error).toBe(code);
  });

  it("refuses another job of a client id, other content, and an unknown state", async () => {
    const { ask } = stage();
    await ask("POST", JOBS, REQUEST);
    const other = { ...REQUEST, input: { kind: "url", url: "https://in.example/b.mp4" } };
    expect((await parsed(await ask("POST", JOBS, other), 409, adminSchemas.Error)).error).toBe("client_id_used");
    await parsed(await ask("POST", JOBS, REQUEST, "text/plain"), 415, adminSchemas.Error);
    await parsed(await ask("GET", `${JOBS}?state=lost`), 400, adminSchemas.Error);
  });

  it("shows accounts, and uses one again at once", async () => {
    const { ask, store } = stage();
    const out = { ...newAccount("west", 1), status: "out", reason: "stuck", detail: "3 of 3 jobs" } as const;
    await store.saveAccount(out, null);
    const before = await parsed(await ask("GET", "/api/encoding"), 200, adminSchemas.Encoding);
    expect(before.accounts).toMatchObject([{ account: "west", status: "out", reason: "stuck", inFlight: 0, maxInFlight: 3 }]);
    const after = await parsed(await ask("POST", "/api/encoding/accounts/west/readmit"), 200, adminSchemas.Encoding);
    expect(after.accounts).toMatchObject([{ account: "west", status: "in", reason: null }]);
    await parsed(await ask("POST", "/api/encoding/accounts/moon/readmit"), 404, adminSchemas.Error);
  });

  it("is not there where nothing is encoded", async () => {
    const { ask } = stage(true);
    for (const [method, path] of [
      ["GET", "/api/encoding"],
      ["GET", JOBS],
      ["POST", JOBS],
    ] as const)
      expect((await parsed(await ask(method, path, method === "POST" ? REQUEST : undefined), 404, adminSchemas.Error)).error).toBe(
        "encoding_off",
      );
  });
});
