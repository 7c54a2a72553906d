/** A file is submitted, its region dies while it is being encoded, the job moves, and the output plays through the gateway under one URL throughout. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { EncodingNotice } from "../../src/encoding/outputPublisher.ts";
import type { ShownAccount, ShownJob } from "../../src/core/ports/encodingService.ts";
import { operator } from "../../src/commands/drain.ts";
import { ArmClient, type ArmAddress } from "../../src/sandbox/arm.ts";
import { SandboxProcess } from "../harness/sandbox.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { eventually, within } from "../harness/wait.ts";

const SECRET = "the-secret-of-the-events";
const PRESET = { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "ContentAwareEncoding" };
const root = new URL("../../", import.meta.url);

let sandbox: SandboxProcess;
let folder: ServeFolder;
let serve: ServeProcess;
let listener: Server;
/** Of the two regions, past the gateway. */
let accounts: readonly ArmClient[];
const notices: EncodingNotice[] = [];
const refused: string[] = [];

beforeAll(async () => {
  sandbox = await SandboxProcess.start("--encoder", "sample");
  folder = await ServeFolder.create();
  const notify = await listen();
  const settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Record<string, object>;
  accounts = armClients(settings["regions"]);
  const encoding = {
    transforms: [{ name: "ladder", outputs: [{ preset: PRESET }] }],
    publish: { streamingPolicy: "Predefined_ClearStreamingOnly" },
    notify: { url: notify, secret: SECRET },
    events: { webhook: { listen: "127.0.0.1:0", secret: SECRET } },
    limits: { alive: "0s" },
    health: { interval: "300ms", fall: 3, fallFor: "1s" },
    tick: "100ms",
    // Events alone tell how jobs go on.
    check: "1h",
  };
  const gateway = { ...settings["gateway"], listen: "127.0.0.1:0" };
  // A state of its own: the sandbox's gateway encodes, too, and would take these jobs.
  const state = { path: join(folder.path, "paircast.db") };
  await folder.write(stringify({ ...settings, gateway, admin: { listen: "127.0.0.1:0" }, log: { level: "info" }, state, encoding }));
  serve = await ServeProcess.start(folder);
  const [listening] = await serve.logged("events.listening");
  for (const { name } of sandbox.ready.regions) {
    const destination = { kind: "webhook", url: `${String(listening?.["url"])}?code=${SECRET}` };
    await sandbox.control("POST", `/regions/${name}/subscriptions`, { name: "encoding-jobs", destination });
  }
});

afterAll(async () => {
  await serve[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  listener.close();
});

function armClients(regions: object | undefined): readonly ArmClient[] {
  type Account = Omit<ArmAddress, "apiKey"> & { readonly credential: { readonly apiKey: string } };
  return (regions as readonly { readonly account: Account }[]).map(
    ({ account }) => new ArmClient({ ...account, apiKey: account.credential.apiKey }),
  );
}

/** Takes notices, as somebody else's service does. */
async function listen(): Promise<string> {
  listener = createServer((incoming, answer) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      if (incoming.headers["x-paircast-events-key"] !== SECRET) refused.push("without the secret");
      notices.push(JSON.parse(Buffer.concat(parts).toString()) as EncodingNotice);
      answer.writeHead(204).end();
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}/jobs`;
}

async function paircast(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, ["src/main.ts", ...args, "--config", folder.config, "--admin", serve.admin], { cwd: root });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (part: Buffer) => out.push(part));
  child.stderr.on("data", (part: Buffer) => err.push(part));
  const [code] = await within(60_000, `paircast ${args.join(" ")}`, once(child, "close"));
  return { code: Number(code), out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

async function admin<T>(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<{ status: number; json: T }> {
  const headers = { "content-type": "application/json", connection: "close" };
  const answer = await request(`${serve.admin}${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  return { status: answer.statusCode, json: (await answer.body.json()) as T };
}

async function jobUntil(id: string, what: string, isSo: (job: ShownJob) => boolean): Promise<ShownJob> {
  const { value } = await eventually(120_000, `the job to be ${what}\n${serve.text.slice(-3000)}`, async () => {
    const { job } = (await admin<{ job: ShownJob }>("GET", `/api/encoding/jobs/${id}`)).json;
    return isSo(job) ? job : null;
  });
  return value;
}

async function accountUntil(account: string, status: ShownAccount["status"]): Promise<void> {
  await eventually(120_000, `account ${account} to be ${status}\n${serve.text.slice(-3000)}`, async () => {
    const { accounts: shown } = (await admin<{ accounts: ShownAccount[] }>("GET", "/api/encoding")).json;
    return shown.find((each) => each.account === account)?.status === status ? true : null;
  });
}

function keptIn(job: ShownJob | null): readonly string[] {
  return (job?.copies ?? []).filter(({ state }) => state === "kept").map(({ region }) => region);
}

/** The region that a player is sent to for this path, where the manifest is really there. */
async function playsFrom(path: string): Promise<string | null> {
  const answer = await request(`${serve.gateway}${path}`, { headers: { connection: "close" } });
  await answer.body.dump();
  const location = answer.headers["location"];
  if (typeof location !== "string") return null;
  const manifest = await request(location, { headers: { connection: "close" } }).catch(() => null);
  const text = (await manifest?.body.text()) ?? "";
  if (manifest?.statusCode !== 200 || !text.startsWith("#EXTM3U")) return null;
  return sandbox.ready.regions.find(({ streaming }) => location.startsWith(streaming))?.name ?? null;
}

describe("a file that is submitted", () => {
  it("is encoded and plays under one URL although its region dies", async () => {
    const [dying, other] = sandbox.ready.regions.map(({ name }) => name) as [string, string];
    await sandbox.control("POST", `/regions/${dying}/jobs`, { queuedMs: 20, scheduledMs: 20, processingMs: 600_000 });
    await sandbox.control("POST", `/regions/${other}/jobs`, { queuedMs: 20, scheduledMs: 20, processingMs: 500 });
    const disable = { kind: "disable", region: other, service: "encoding", reason: "jobs go elsewhere", duration: "10m" };
    const { json } = await admin<{ override: { id: string } }>("POST", "/api/overrides", disable);
    const shown = (await admin<{ accounts: ShownAccount[] }>("GET", "/api/encoding")).json.accounts;
    expect(shown.map(({ account, disabled }) => [account, disabled])).toEqual([
      [dying, false],
      [other, true],
    ]);

    const file = join(folder.path, "film.mp4");
    writeFileSync(file, Buffer.alloc(10_000, 7));
    const submit = ["encode", "submit", file, "--transform", "ladder", "--id", "film-1", "--json"];
    const { code, out, err } = await paircast(...submit);
    expect(code, err).toBe(0);
    const [first] = (JSON.parse(out) as { jobs: { job: ShownJob; created: boolean }[] }).jobs;
    if (first === undefined) throw new Error("no job");
    const { id } = first.job;
    expect(keptIn(first.job)).toEqual([dying, other]);
    // The same input is the same job, and its file is not wanted again; with another input the same client id is refused.
    const repeated = await paircast(...submit);
    expect((JSON.parse(repeated.out) as { jobs: { job: ShownJob; created: boolean }[] }).jobs).toMatchObject([
      { created: false, job: { id } },
    ]);
    expect(repeated.err).not.toContain("uploading");
    const again = await admin<{ job: ShownJob; created: boolean }>("POST", "/api/encoding/jobs", {
      clientId: "film-1",
      transform: "ladder",
      input: first.job.input,
    });
    expect([again.status, again.json.created, again.json.job.id]).toEqual([202, false, id]);
    const another = { clientId: "film-1", transform: "ladder", input: { kind: "url", url: "https://in.example/other.mp4" } };
    expect((await admin("POST", "/api/encoding/jobs", another)).status).toBe(409);

    const processing = await jobUntil(id, "processed", ({ attempts }) => attempts.at(-1)?.state === "processing");
    expect(processing.attempts.map(({ account }) => account)).toEqual([dying]);
    await admin("DELETE", `/api/overrides/${json.override.id}`);
    await sandbox.breakRegion(dying, { kind: "refuse" });

    const finished = await jobUntil(id, "finished and playable", ({ state, playback }) => state === "finished" && playback[0]?.hls != null);
    expect(finished.attempts).toMatchObject([
      { account: dying, end: "moved" },
      { account: other, end: "won" },
    ]);
    const path = finished.playback[0]?.hls ?? "";
    await eventually(20_000, "the output to play where it was made", async () => ((await playsFrom(path)) === other ? true : null));

    await sandbox.mendRegion(dying);
    const locatorId = finished.playback[0]?.locatorId ?? "";
    await eventually(120_000, "the output to be verified in the region that returned", async () => {
      type Entry = { locatorId: string; regions: Record<string, { state: string }> };
      const { entries } = (await admin<{ entries: Entry[] }>("GET", "/api/catalogue")).json;
      return entries.find((entry) => entry.locatorId === locatorId)?.regions[dying]?.state === "verified" ? true : null;
    });
    await sandbox.breakRegion(other, { kind: "refuse" });
    await eventually(20_000, "the output to play from the copy", async () => ((await playsFrom(path)) === dying ? true : null));
    await sandbox.mendRegion(other);

    // What the job has read is gone where it ran, and owed where nobody answered then.
    await jobUntil(id, "rid of its input", ({ copies }) => copies.every(({ region, state }) => region === dying && state === "owed"));
    expect(await accounts[1]?.get(`assets/${id}-i1`)).toBeNull();

    expect(refused).toEqual([]);
    expect(notices.filter(({ kind }) => kind === "finished")).toMatchObject([
      { jobId: id, clientId: "film-1", account: other, playback: [{ locatorId, hls: path }] },
    ]);
    expect(serve.text).not.toMatch(/sig=[A-Za-z0-9%]{8}/);
  }, 400_000);

  it("that one region took, as the other was down, has its second copy once that is back, and moves there", async () => {
    const [dying, other] = sandbox.ready.regions.map(({ name }) => name) as [string, string];
    await sandbox.control("POST", `/regions/${dying}/jobs`, { queuedMs: 20, scheduledMs: 20, processingMs: 600_000 });
    await sandbox.control("POST", `/regions/${other}/jobs`, { queuedMs: 20, scheduledMs: 20, processingMs: 500 });
    await sandbox.breakRegion(other, { kind: "refuse" });
    await accountUntil(other, "out");
    const file = join(folder.path, "second.mp4");
    writeFileSync(file, Buffer.alloc(10_000, 9));
    const { code, out, err } = await paircast("encode", "submit", file, "--transform", "ladder", "--json");
    expect(code, err).toBe(0);
    const [{ job } = { job: null }] = (JSON.parse(out) as { jobs: { job: ShownJob }[] }).jobs;
    const id = job?.id ?? "";
    expect(keptIn(job)).toEqual([dying]);
    await jobUntil(id, "processed", ({ attempts }) => attempts.at(-1)?.state === "processing");
    expect((await paircast("encode", "status", id)).out).toContain(`file second.mp4 in ${dying}`);

    await sandbox.mendRegion(other);
    await jobUntil(id, "kept in both regions", (each) => keptIn(each).length === 2);
    expect((await paircast("encode", "status", id)).out).toContain(`file second.mp4 in ${dying} and ${other}`);
    const copy = await accounts[1]?.get(`assets/${id}-i2`);
    expect(copy).not.toBeNull();
    await accountUntil(other, "in");
    await sandbox.breakRegion(dying, { kind: "refuse" });
    const finished = await jobUntil(id, "finished", ({ state }) => state === "finished");
    expect(finished.attempts).toMatchObject([
      { account: dying, end: "moved" },
      { account: other, end: "won" },
    ]);
    await jobUntil(id, "rid of the copy", ({ copies }) => !copies.some(({ region, upload }) => region === other && upload === 2));
    expect(await accounts[1]?.get(`assets/${id}-i2`)).toBeNull();
    await sandbox.mendRegion(dying);
    expect(serve.text).not.toMatch(/sig=[A-Za-z0-9%]{8}/);
  }, 400_000);

  it("is listed, canceled and tried again by command", async () => {
    for (const { name } of sandbox.ready.regions) await sandbox.control("POST", `/regions/${name}/jobs`, { queuedMs: 600_000 });
    const url = "https://in.example/video.mp4?sig=do-not-show-this";
    const submitted = await paircast("encode", "submit", url, "--transform", "ladder", "--json");
    expect(submitted.code, submitted.err).toBe(0);
    expect(submitted.out).not.toContain("do-not-show-this");
    const id = (JSON.parse(submitted.out) as { jobs: { job: ShownJob }[] }).jobs[0]?.job.id ?? "";
    expect((await paircast("encode", "cancel", id)).out).toContain("canceled");
    expect((await paircast("encode", "list", "--state", "canceled")).out).toContain(id);
    expect((await paircast("encode", "retry", id)).out).toContain("waiting");
    const status = (await paircast("encode", "status", id)).out;
    const by = operator(null);
    expect(status).toMatch(new RegExp(`canceled by ${by}  .*\n.*tried again by ${by}  `));
    expect(await serve.logged("encoding.action", 2)).toMatchObject([
      { action: "cancel", job: id, by },
      { action: "retry", job: id, by },
    ]);
    expect((await paircast("encode", "cancel", id)).out).toContain("canceled");
    expect((await paircast("encode", "status")).out).toContain("1 canceled");
    const list = join(folder.path, "films.txt");
    writeFileSync(list, `https://in.example/1.mp4 film-2\n# not this\n\nhttps://in.example/2.mp4\n`);
    for (const created of [true, false]) {
      const many = await paircast("encode", "submit", "--list", list, "--transform", "ladder", "--json");
      const { jobs } = JSON.parse(many.out) as { jobs: { job: ShownJob; created: boolean }[] };
      expect(jobs.map((each) => [each.job.input, each.created])).toEqual([
        [{ kind: "url", url: "https://in.example/1.mp4" }, created],
        [{ kind: "url", url: "https://in.example/2.mp4" }, true],
      ]);
    }
    expect(await serve.metric('paircast_encoding_messages_total{kind="finished"}')).toBe(2);
    const unknown = await paircast("encode", "submit", url, "--transform", "none");
    expect([unknown.code === 0, unknown.err]).toEqual([false, expect.stringContaining("there is no transform none")]);
    expect((await paircast("encode", "status", "nobody")).code).not.toBe(0);
  }, 120_000);
});
