/** The sandbox as it is (two regions, the gateway in front of them), the videos that are played, and what can happen to region A. */
import { request } from "undici";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually } from "../harness/wait.ts";
import { steeringFaultProxy } from "./steeringProxy.ts";
import { cellName, type Cell, type Mode, type RegionFault, type SteeringFault } from "./matrix.ts";
import { servePages } from "./pageServer.ts";

const [A, B] = ["westeurope", "northeurope"] as const;

/** In a browser `503` and `404` are statuses only where the answer allows the page to read it. */
const FAULT_BODIES: Readonly<Record<RegionFault, Readonly<Record<string, unknown>>>> = {
  refused: { kind: "refuse" },
  reset: { kind: "reset" },
  "503": { kind: "status", status: 503, cors: true },
  "404": { kind: "status", status: 404, cors: true },
  blackhole: { kind: "blackhole" },
  "half-body": { kind: "half-body" },
};

const HOSTS: Readonly<Record<Mode, string>> = { redirect: "127.0.0.1", steer: "steer.localhost", anchor: "anchor.localhost" };

const REPLICATED_MS = 90_000;
const RETURNED_MS = 90_000;

/** What a viewer of a cell is given. */
export interface Ticket extends AsyncDisposable {
  readonly url: string;
  readonly token: string | null;
  /** Starts the fault of the steering server that the cell dies by in the middle; nothing in other cells. */
  endSteering(): void;
}

export class Lab implements AsyncDisposable {
  /** URL of the page that plays. */
  readonly page: string;
  readonly #sandbox: SandboxProcess;
  readonly #owned: AsyncDisposableStack;
  readonly #videos = new Map<string, Promise<SandboxVideo>>();

  private constructor(sandbox: SandboxProcess, page: string, owned: AsyncDisposableStack) {
    this.#sandbox = sandbox;
    this.page = page;
    this.#owned = owned;
  }

  /** @param steeringTtl after how long steered players ask again while all is well, as the configuration has it: `5s` */
  static async start(steeringTtl: string): Promise<Lab> {
    await using stack = new AsyncDisposableStack();
    const sandbox = stack.use(await SandboxProcess.start("--steering-ttl", steeringTtl));
    const pages = stack.use(await servePages());
    return new Lab(sandbox, pages.url, stack.move());
  }

  /** Host and port of a region's streaming endpoint. */
  host(region: "a" | "b"): string {
    return new URL(this.#sandbox.region(region === "a" ? A : B).streaming).host;
  }

  async ticket(cell: Cell): Promise<Ticket> {
    const video = await this.#video(cell);
    const { port } = new URL(this.#sandbox.ready.gateway);
    const path = cell.player === "dash.js" || cell.player === "shaka-dash" ? video.dash : video.hls;
    const { token } = video;
    const url = `http://${HOSTS[cell.mode]}:${port}${path}`;
    await assertMode(url, cell);
    if (cell.steering === null) {
      return { url, token, endSteering: () => undefined, [Symbol.asyncDispose]: async () => Promise.resolve() };
    }
    const proxy = await steeringFaultProxy(Number(port), FAULTY_FROM_THE_START.includes(cell.steering) ? cell.steering : null);
    return {
      url: `http://${HOSTS[cell.mode]}:${proxy.port}${path}`,
      token,
      endSteering: () => {
        proxy.set(cell.steering);
      },
      [Symbol.asyncDispose]: async () => proxy[Symbol.asyncDispose](),
    };
  }

  async loseRegionA(fault: RegionFault): Promise<void> {
    await this.#sandbox.breakRegion(A, FAULT_BODIES[fault]);
  }

  /** Resolves when the gateway sends new viewers to region A again. */
  async returnRegionA(): Promise<void> {
    await this.#sandbox.mendRegion(A);
    const url = new URL(this.#sandbox.video("paircast-sample").hls, this.#sandbox.ready.gateway);
    await eventually(RETURNED_MS, "the gateway to send viewers to region A again", async () => {
      const { headers } = await request(url, { method: "HEAD" });
      return new URL(String(headers["location"])).host === this.host("a") ? true : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  /** Published when it is first wanted. */
  async #video({ content, protection }: Cell): Promise<SandboxVideo> {
    const name = `players-${content}-${protection}`;
    const video = this.#videos.get(name) ?? this.#publish(name, content === "live", protection === "aes" ? "gateway-keys" : "clear");
    this.#videos.set(name, video);
    return video;
  }

  async #publish(name: string, live: boolean, protection: "gateway-keys" | "clear"): Promise<SandboxVideo> {
    const video = (await this.#sandbox.control("POST", "/videos", { region: A, protection, name, live })) as SandboxVideo;
    await eventually(REPLICATED_MS, `${name} to be verified in both regions`, async () => {
      const { body } = await request(`${this.#sandbox.ready.admin}/api/catalogue?limit=100`);
      const { entries } = (await body.json()) as { readonly entries: readonly CatalogueRow[] };
      const row = entries.find(({ locatorId }) => locatorId === video.locatorId);
      return [A, B].every((region) => row?.regions[region]?.state === "verified") ? true : null;
    });
    return video;
  }
}

/** A gateway that falls back to the redirect would be measured under another mode's name. Throws with what it answered. */
async function assertMode(url: string, cell: Cell): Promise<void> {
  // Browsers resolve names below localhost by themselves, the system need not.
  const { host, port, pathname } = new URL(url);
  const { statusCode, headers, body } = await request(`http://127.0.0.1:${port}${pathname}`, { headers: { host } });
  await body.dump();
  if ((statusCode === 200) === (cell.mode !== "redirect")) return;
  throw new Error(`${cellName(cell)}: the gateway answered ${statusCode} to ${url} (${String(headers["location"] ?? "")})`);
}

const FAULTY_FROM_THE_START: readonly SteeringFault[] = ["dead", "hangs", "500"];

interface CatalogueRow {
  readonly locatorId: string;
  readonly regions: Readonly<Record<string, { readonly state: string } | undefined>>;
}
