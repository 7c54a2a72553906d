/** Azurite's tables and queues, and stores on them as processes of their own would open them. */
import { QueueServiceClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { AzureTable } from "../../src/replicator/adapters/azureTable.ts";
import { AzureWorkQueue } from "../../src/replicator/adapters/azureWorkQueue.ts";
import { ServiceCalls } from "../../src/replicator/adapters/serviceCalls.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { eventually } from "./wait.ts";

const ACCOUNT = "state";
/** Of regions whose containers are in the same Azurite. */
const OTHERS = ["west", "north"];
const KEY = Buffer.alloc(64, 7).toString("base64");
const login = { kind: "account-key", accountName: ACCOUNT, accountKey: KEY } as const;

export class SharedState implements AsyncDisposable {
  readonly azurite: Azurite;
  #prefixes = 0;

  private constructor(azurite: Azurite) {
    this.azurite = azurite;
  }

  static async start(): Promise<SharedState> {
    const accounts = [ACCOUNT, ...OTHERS].map((name) => ({ name, key: KEY }));
    return new SharedState(await Azurite.start({ accounts, port: 0, allServices: true, clock: systemClock, log: silentLog }));
  }

  get tables(): string {
    return `${this.azurite.tables}/${ACCOUNT}`;
  }

  get queues(): string {
    return `${this.azurite.queues}/${ACCOUNT}`;
  }

  /** For a configuration file. */
  get credential(): { readonly kind: "account-key"; readonly accountName: string; readonly accountKey: string } {
    return login;
  }

  /** A name that nobody has used yet. */
  prefix(): string {
    this.#prefixes += 1;
    return `t${this.#prefixes}`;
  }

  async table(name: string, calls = newCalls()): Promise<AzureTable> {
    return AzureTable.open({ url: this.tables, name, login, calls });
  }

  async queue(name: string, maxTakes: number, calls = newCalls()): Promise<AzureWorkQueue> {
    const deadLetters = await this.table(`${name.replaceAll("-", "")}deadletters`);
    return AzureWorkQueue.open({ url: this.queues, name, login, calls, deadLetters, maxTakes });
  }

  /** Waits until the queue shows a message, or by the service's own clock nothing can be hidden for `ms` any more. */
  async elapse(name: string, ms: number): Promise<void> {
    const client = new QueueServiceClient(this.queues, new StorageSharedKeyCredential(ACCOUNT, KEY)).getQueueClient(name);
    const began = (await client.getProperties()).date?.getTime() ?? Number.NaN;
    await eventually(30_000, `${ms} ms by the queue service's clock`, async () => {
      const { peekedMessageItems, date } = await client.peekMessages();
      const passed = (date?.getTime() ?? Number.NaN) - began;
      // The header counts whole seconds: the time that passed is up to one less.
      return peekedMessageItems.length > 0 || passed >= ms + 1_000 ? true : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.azurite.stop();
  }
}

export function newCalls(): ServiceCalls {
  return new ServiceCalls({ clock: systemClock, random: systemRandom });
}
