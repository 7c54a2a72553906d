/**
 * Two regions and a shared state, all of whose services are some milliseconds away from the workers and count what they are asked: emulated media
 * accounts, streaming and keys, blobs in one Azurite, tables and queues in another. Each worker has doors of its own to the state.
 */
import { setTimeout as delay } from "node:timers/promises";
import { systemClock as clock } from "../../../src/core/clock.ts";
import { silentLog as log } from "../../../src/core/log.ts";
import { Azurite } from "../../../src/sandbox/azurite.ts";
import { publishLibrary } from "../../faults/library.ts";
import { startRegions, type Regions } from "../../faults/regions.ts";
import { inLanes } from "../process.ts";
import { asksForWork, CallTally, QUEUES, TABLES } from "./calls.ts";

const STATE = { name: "state", key: Buffer.alloc(64, 9).toString("base64") };
const EXTRA_BYTES = 4096;

/** Of an asset, before there are more. */
export const FILES = 5;

export interface SceneOptions {
  readonly awayMs: number;
  readonly assets: number;
  /** Files of each asset beside its five. */
  readonly extra: number;
}

export interface Door {
  readonly tables: string;
  readonly queues: string;
}

export class Scene implements AsyncDisposable {
  readonly regions: Regions;
  /** Of the assets in the source. */
  readonly names: readonly string[];
  readonly #state: Azurite;
  readonly #stack: AsyncDisposableStack;
  readonly #awayMs: number;
  #tally = new CallTally();
  #asked = new Set<string>();
  #open = Promise.withResolvers<void>();
  #allAsk: () => void = () => undefined;
  #workers = 0;

  private constructor(regions: Regions, names: readonly string[], state: Azurite, awayMs: number, stack: AsyncDisposableStack) {
    this.regions = regions;
    this.names = names;
    this.#state = state;
    this.#awayMs = awayMs;
    this.#stack = stack;
  }

  static async start({ awayMs, assets, extra }: SceneOptions): Promise<Scene> {
    await using stack = new AsyncDisposableStack();
    const regions = stack.use(await startRegions());
    const state = stack.use(await Azurite.start({ accounts: [STATE], port: 0, allServices: true, clock, log }));
    const names = await publishLibrary(regions.source, { assets, protections: ["open"], fragments: 1 });
    const blobs = names.flatMap((name) => Array.from({ length: extra }, (_, at) => ({ name, at })));
    await inLanes(blobs, 8, async ({ name, at }) => {
      const container = regions.source.blobs.getContainerClient(`asset-${name}`);
      await container.getBlockBlobClient(`part-${String(at).padStart(4, "0")}.m4s`).upload(Buffer.alloc(EXTRA_BYTES, at), EXTRA_BYTES);
    });
    return new Scene(regions, names, state, awayMs, stack.move());
  }

  /** For configurations. */
  get credential(): { readonly kind: "account-key"; readonly accountName: string; readonly accountKey: string } {
    return { kind: "account-key", accountName: STATE.name, accountKey: STATE.key };
  }

  /** Addresses of the state for one worker. */
  async door(worker: string): Promise<Door> {
    const { gate } = this.regions;
    const away = async (label: string, origin: string): Promise<string> =>
      `${await gate.open(
        "storage",
        `${label}${worker}`,
        gate.relay(origin, (headers) => headers),
      )}/${STATE.name}`;
    return { tables: await away(TABLES, this.#state.tables), queues: await away(QUEUES, this.#state.queues) };
  }

  /** The library is kept back until so many workers have asked for work: resolves then, and calls count from then on. */
  async prepare(workers: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#workers = workers;
    this.#asked = new Set();
    this.#open = Promise.withResolvers();
    this.#allAsk = resolve;
    this.regions.gate.interference = async (call, serve) => {
      if (asksForWork(call)) this.#heard(call.region);
      if (call.service === "management" && /\/streamingLocators\?/i.test(call.target)) await this.#open.promise;
      const tally = this.#tally;
      await delay(this.#awayMs);
      const answer = await serve();
      tally.note(call);
      return { kind: "answer", answer };
    };
    await promise;
    this.#tally = new CallTally();
  }

  open(): void {
    this.#open.resolve();
  }

  /** Since the workers were ready. */
  get tally(): CallTally {
    return this.#tally;
  }

  #heard(worker: string): void {
    this.#asked.add(worker);
    if (this.#asked.size >= this.#workers) this.#allAsk();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
