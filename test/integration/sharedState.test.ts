/** Processes that share nothing but Azurite's tables, as machines would: what one of them says or does, the others know. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as allText } from "node:stream/consumers";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Override } from "../../src/core/contracts.ts";
import { packageVideo } from "../fakes/packagedVideo.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { SharedState } from "../harness/sharedState.ts";
import { eventually, within } from "../harness/wait.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;
const VIDEOS = Array.from({ length: 6 }, (_, at) => `lecture-${at + 1}`);
/** Of a process: so many jobs at a time for each of the two targets. */
const CONCURRENCY = 1;

interface Summary {
  readonly failed: number;
  readonly unchanged: number;
  readonly elsewhere: number;
  readonly results: readonly { readonly id: string; readonly elsewhere?: string; readonly counts: { readonly blobsCopied: number } }[];
}

let shared: SharedState;
let folder: ServeFolder;
let gate: Gate;

/** The regions' streaming: the blob service behind a door that is shut until more jobs wait at it than one process can have. */
class Gate {
  readonly #server: Server;
  readonly #storage: string;
  readonly #waiting = new Map<string, (() => void)[]>();
  #open = false;

  private constructor(storage: string) {
    this.#storage = storage;
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  static async start(storage: string): Promise<Gate> {
    const gate = new Gate(storage);
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close().closeAllConnections();
  }

  async #serve({ url = "/", headers }: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    await this.#pass(url);
    const range = headers.range === undefined ? {} : { range: headers.range };
    // A kept connection may just be closed by the other side.
    const answer = await request(`${this.#storage}${url}`, { headers: range, reset: true });
    for (const name of ["content-type", "content-range"]) {
      const value = answer.headers[name];
      if (value !== undefined) outgoing.setHeader(name, value);
    }
    outgoing.writeHead(answer.statusCode);
    outgoing.end(Buffer.from(await answer.body.arrayBuffer()));
  }

  async #pass(url: string): Promise<void> {
    const job = url.split("/", 3).join("/");
    if (this.#open) return;
    await new Promise<void>((resolve) => {
      this.#waiting.set(job, [...(this.#waiting.get(job) ?? []), resolve]);
      this.#open = this.#waiting.size > 2 * CONCURRENCY;
      if (this.#open) for (const one of [...this.#waiting.values()].flat()) one();
    });
  }
}

beforeAll(async () => {
  shared = await SharedState.start();
  gate = await Gate.start(shared.azurite.url);
  folder = await ServeFolder.create();
  await folder.write(configuration());
  for (const name of VIDEOS) await publish(name);
});
afterAll(async () => {
  gate.close();
  await folder[Symbol.asyncDispose]();
  await shared[Symbol.asyncDispose]();
});

function configuration(): string {
  return stringify({
    regions: ["west", "north"].map((name) => ({
      name,
      streaming: `${gate.url}/${name}`,
      account: {
        driver: "static",
        storage: { url: `${shared.azurite.url}/${name}`, credential: { ...shared.credential, accountName: name } },
        containers: "lecture-*",
      },
    })),
    gateway: { listen: "127.0.0.1:0", prefixes: ["/"] },
    admin: { listen: "127.0.0.1:0" },
    health: { interval: "300ms", fastInterval: "100ms" },
    replication: { enabled: false, concurrency: CONCURRENCY },
    state: {
      tables: { url: shared.tables, credential: shared.credential, prefix: "shared" },
      queues: { url: shared.queues, credential: shared.credential, prefix: "shared" },
    },
  });
}

async function publish(container: string): Promise<void> {
  const credential = new StorageSharedKeyCredential("west", shared.credential.accountKey);
  const client = new BlobServiceClient(`${shared.azurite.url}/west`, credential).getContainerClient(container);
  await client.create({ access: "blob" });
  for (const [path, content] of packageVideo("")) await client.getBlockBlobClient(path).uploadData(content);
}

async function paircast(...words: string[]): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [main, ...words], { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.all([allText(child.stdout), allText(child.stderr), once(child, "close")]);
  const [out, err, [code]] = await within(45_000, `paircast ${words.join(" ")}`, ended);
  return { code: code as unknown, out, err };
}

async function replicate(): Promise<Summary> {
  const { code, out, err } = await paircast("replicate", "--json");
  expect(code, err).toBe(0);
  return JSON.parse(out) as Summary;
}

/** Resolves when a gateway sends new viewers to `region`. */
async function goesTo({ gateway }: ServeProcess, region: string): Promise<void> {
  await eventually(30_000, `viewers to go to ${region}`, async () => {
    const answer = await request(`${gateway}/lecture-1/master.m3u8`, { headers: { connection: "close" } });
    await answer.body.dump();
    return answer.headers["location"] === `${gate.url}/${region}/lecture-1/master.m3u8` ? true : null;
  });
}

describe("processes that share tables", () => {
  it("never do the same job twice", async () => {
    const summaries = await Promise.all([replicate(), replicate()]);
    const done = summaries.map(({ results }) => results.filter(({ elsewhere }) => elsewhere === undefined));
    expect(
      done
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(VIDEOS.flatMap((name) => [`west/${name}->north`, `west/${name}->west`]).sort());
    for (const [at, each] of done.entries()) {
      expect(each.length).toBeGreaterThan(0);
      expect(summaries[at]).toMatchObject({ failed: 0, elsewhere: 2 * VIDEOS.length - each.length });
    }
    const copied = done.flat().reduce((sum, { counts }) => sum + counts.blobsCopied, 0);
    expect(copied).toBe(VIDEOS.length * packageVideo("").size);
  });

  it("know what others have replicated, and which overrides others have set", async () => {
    await using one = await ServeProcess.start(folder);
    await using two = await ServeProcess.start(folder, "--workers", "2");
    for (const { admin } of [one, two]) {
      const { out } = await paircast("status", "--json", "--admin", admin);
      const { videos } = JSON.parse(out) as { videos: { regions: Record<string, { state: string }> }[] };
      expect(videos.length).toBe(VIDEOS.length);
      for (const { regions } of videos) expect(regions).toMatchObject({ west: { state: "verified" }, north: { state: "verified" } });
    }
    await goesTo(two, "west");
    const drained = await paircast("drain", "west", "--reason", "new certificates", "--for", "10m", "--json", "--admin", one.admin);
    expect(drained.code, drained.err).toBe(0);
    const { override } = JSON.parse(drained.out) as { override: Override };
    await goesTo(two, "north");
    const lifted = await paircast("lift", override.id, "--admin", two.admin);
    expect(lifted.code, lifted.err).toBe(0);
    expect(await one.logged("override.lifted")).toMatchObject([{ id: override.id }]);
    await goesTo(two, "west");
  });

  it("say what is wrong with a credential, and show none of it", async () => {
    const secret = Buffer.alloc(64, 9).toString("base64");
    await folder.write(configuration().replaceAll(shared.credential.accountKey, secret), "wrong.yaml");
    const { code, err, out } = await paircast("replicate", "--config", "wrong.yaml");
    expect(code).toBe(1);
    expect(err).toMatch(/the service refused the credential: check it and its permissions \(403/);
    expect(err + out).not.toContain(secret.slice(0, 30));
  });
});
