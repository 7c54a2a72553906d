import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { PaircastError } from "../../src/core/errors.ts";
import { silentLog, type Log } from "../../src/core/log.ts";
import { newAccount } from "../../src/encoding/account.ts";
import { adminEncoding } from "../../src/gateway/adminEncoding.ts";
import { adminSchemas } from "../../src/gateway/adminSchemas.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { encodingOver } from "./encodingStage.ts";

const JOBS = "/api/encoding/jobs";
const REQUEST = { clientId: "film", transform: "ladder", input: { kind: "url", url: "https://in.example/a.mp4?sig=secret" } };

function stage(off = false, regions: ReadonlyMap<string, MemoryMediaAccount> = new Map()) {
  const store = new MemoryEncoding();
  const lines: object[] = [];
  const info: Log["info"] = (event, fields) => void lines.push({ event, ...fields });
  const log: Log = { ...silentLog, info };
  const app = new Hono().route(
    "/",
    adminEncoding({
      service: off ? null : encodingOver(store, regions, { log }),
      limitOf: (context) => Number(context.req.query("limit") ?? 100),
      failure: (context, status, error, message) => context.json({ error, message, requestId: "r" }, status),
    }),
  );
  const ask = async (method: string, path: string, body?: unknown, type = "application/json") =>
    app.request(path, { method, headers: { "content-type": type }, body: body === undefined ? null : JSON.stringify(body) });
  const put = async (path: string, content: string) => app.request(path, { method: "PUT", body: content === "" ? null : content });
  return { store, ask, put, lines };
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

  it("takes in the file of a job, once, and keeps it in several regions", async () => {
    const accounts = new Map(["west", "east"].map((region) => [region, new MemoryMediaAccount({ region })]));
    const { ask, put, store } = stage(false, accounts);
    const file = { kind: "upload", fileName: "a film.mp4", bytes: 7 };
    const { job, upload } = await parsed(
      await ask("POST", JOBS, { transform: "ladder", input: file }),
      202,
      adminSchemas.EncodingSubmitted,
    );
    expect([upload, job.waitingFor, job.copies]).toEqual([`${JOBS}/${job.id}/input`, "upload", []]);
    const path = upload ?? "";
    for (const wrong of ["six...", "8 bytes!", ""])
      expect((await parsed(await put(path, wrong), 400, adminSchemas.Error)).error).toBe("upload_incomplete");
    expect((await store.get(job.id))?.job.copies.map(({ state }) => state)).toEqual(Array.from({ length: 4 }, () => "owed"));
    const taken = await parsed(await put(path, "7 bytes"), 200, adminSchemas.EncodingJob);
    expect([taken.job.waitingFor, taken.job.copies.filter(({ state }) => state === "kept")]).toEqual([
      "new",
      ["west", "east"].map((region) => ({ region, upload: 3, state: "kept" })),
    ]);
    for (const account of accounts.values())
      expect(Buffer.from(account.blobs(`${job.id}-i3`).content("a film.mp4") ?? []).toString()).toBe("7 bytes");
    expect((await parsed(await put(path, "7 bytes"), 409, adminSchemas.Error)).error).toBe("upload_unwanted");
    expect((await parsed(await put(`${JOBS}/none/input`, "7 bytes"), 404, adminSchemas.Error)).error).toBe("unknown_job");
  });

  it("says that no region takes a file, and waits for it on", async () => {
    const west = new MemoryMediaAccount({ region: "west" });
    const { ask, put } = stage(false, new Map([["west", west]]));
    const input = { kind: "upload", fileName: "a.mp4", bytes: 7 };
    const { job, upload } = await parsed(await ask("POST", JOBS, { ...REQUEST, input }), 202, adminSchemas.EncodingSubmitted);
    west.calls.failAll("*", new PaircastError("account_unavailable", "no answer", { retry: "retry" }));
    expect((await parsed(await put(upload ?? "", "7 bytes"), 503, adminSchemas.Error)).error).toBe("upload_unavailable");
    west.calls.heal();
    // The same once more is the same job, which still waits.
    const again = await parsed(await ask("POST", JOBS, { ...REQUEST, input }), 202, adminSchemas.EncodingSubmitted);
    expect([again.created, again.job.id, again.upload]).toEqual([false, job.id, upload]);
    expect((await parsed(await put(upload ?? "", "7 bytes"), 200, adminSchemas.EncodingJob)).job.waitingFor).toBe("new");
    const after = await parsed(await ask("POST", JOBS, { ...REQUEST, input }), 202, adminSchemas.EncodingSubmitted);
    expect([after.created, after.upload]).toEqual([false, null]);
  });

  it("cancels, tries again, keeps and logs by whom, and says what is not there", async () => {
    const { ask, lines } = stage();
    const { job, status } = await parsed(await ask("POST", JOBS, REQUEST), 202, adminSchemas.EncodingSubmitted);
    const canceled = await parsed(await ask("POST", `${status}/cancel?by=Ada`), 200, adminSchemas.EncodingJob);
    expect([canceled.job.state, canceled.job.round]).toEqual(["canceled", 1]);
    const again = await parsed(await ask("POST", `${status}/retry?by=Bob`), 200, adminSchemas.EncodingJob);
    expect([again.job.id, again.job.state, again.job.round]).toEqual([job.id, "waiting", 2]);
    // What has no effect is nobody's deed; who gives no name that can stand in a log line stays without one.
    await ask("POST", `${status}/retry?by=Eve`);
    const over = await parsed(await ask("POST", `${status}/cancel?by=${encodeURIComponent("<b>")}`), 200, adminSchemas.EncodingJob);
    expect(over.job.actions.map(({ kind, by }) => [kind, by])).toEqual([
      ["cancel", "Ada"],
      ["retry", "Bob"],
      ["cancel", "api"],
    ]);
    expect(lines).toEqual([
      { event: "encoding.action", action: "cancel", job: job.id, by: "Ada" },
      { event: "encoding.action", action: "retry", job: job.id, by: "Bob" },
      { event: "encoding.action", action: "cancel", job: job.id, by: "api" },
    ]);
    for (const path of ["/none", "/none/cancel", "/none/retry"])
      await parsed(await ask(path === "/none" ? "GET" : "POST", `${JOBS}${path}`), 404, adminSchemas.Error);
  });

  it.each([
    [{ ...REQUEST, transform: "none" }, 400, "transform_unknown"],
    [{ ...REQUEST, input: { kind: "asset", region: "moon", assetName: "a" } }, 400, "unknown_region"],
    [{ ...REQUEST, input: { kind: "url", url: "http://in.example/a.mp4" } }, 400, "bad_job"],
    [{ ...REQUEST, input: { kind: "url", url: "file:///etc/passwd" } }, 400, "bad_job"],
    [{ ...REQUEST, input: { kind: "upload", fileName: "a/b.mp4", bytes: 1 } }, 400, "bad_job"],
    [{ ...REQUEST, input: { kind: "upload", fileName: "..", bytes: 1 } }, 400, "bad_job"],
    [{ ...REQUEST, input: { kind: "upload", fileName: "a.mp4", bytes: 0 } }, 400, "bad_job"],
    [{ ...REQUEST, input: { kind: "upload", fileName: "a.mp4", bytes: 1_001 } }, 413, "upload_too_large"],
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

  it("shows accounts, and uses one again at once, with the name of who said so", async () => {
    const { ask, store, lines } = stage();
    const out = { ...newAccount("west", 1), status: "out", reason: "stuck", detail: "3 of 3 jobs" } as const;
    await store.saveAccount(out, null);
    const before = await parsed(await ask("GET", "/api/encoding"), 200, adminSchemas.Encoding);
    expect(before.accounts).toMatchObject([{ account: "west", status: "out", reason: "stuck", inFlight: 0, maxInFlight: 3, capacity: 0 }]);
    expect(before.transforms).toEqual([{ name: "ladder", description: null, outputs: 1 }]);
    expect(before.accounts[0]?.readmitted).toBeNull();
    const path = "/api/encoding/accounts/west/readmit";
    const after = await parsed(await ask("POST", `${path}?by=Ada`), 200, adminSchemas.Encoding);
    expect(after.accounts).toMatchObject([{ account: "west", status: "in", reason: null, capacity: 1, rates: { finished: 0 } }]);
    expect(after.accounts[0]?.readmitted?.by).toBe("Ada");
    // It is used already.
    const again = await parsed(await ask("POST", `${path}?by=Bob`), 200, adminSchemas.Encoding);
    expect([again.accounts[0]?.readmitted?.by, lines]).toEqual([
      "Ada",
      [{ event: "encoding.action", action: "readmit", account: "west", by: "Ada" }],
    ]);
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
