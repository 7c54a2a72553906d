/** Azurite, and before it the blob services of some accounts as the sandbox has them. */
import { systemClock, systemRandom, type Clock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { StorageFronts } from "../../src/sandbox/storage/storageFronts.ts";
import { StorageFront } from "../../src/sandbox/storageFront.ts";

export const STORAGE_KEY = Buffer.alloc(64, 9).toString("base64");

export class StorageStage implements AsyncDisposable {
  readonly azurite: Azurite;
  readonly all: readonly StorageFront[];
  readonly #owned: AsyncDisposableStack;

  private constructor(azurite: Azurite, all: readonly StorageFront[], owned: AsyncDisposableStack) {
    this.azurite = azurite;
    this.all = all;
    this.#owned = owned;
  }

  /** Accounts with the loopback address of each. The clock is that of the fronts; Azurite has the real one. */
  static async start(accounts: Readonly<Record<string, string>>, clock: Clock = systemClock): Promise<StorageStage> {
    await using stack = new AsyncDisposableStack();
    const known = Object.keys(accounts).map((name) => ({ name, key: STORAGE_KEY }));
    const azurite = stack.use(await Azurite.start({ accounts: known, port: 0, clock: systemClock, log: silentLog }));
    const shared = { port: 0, fronts: new StorageFronts(azurite.url), tls: null, clock, random: systemRandom, log: silentLog };
    const all: StorageFront[] = [];
    for (const account of known) {
      const options = { ...shared, label: `${account.name} storage`, host: accounts[account.name] ?? "", account };
      all.push(stack.use(await StorageFront.start(options)));
    }
    return new StorageStage(azurite, all, stack.move());
  }

  front(account: string): StorageFront {
    const found = this.all.find(({ address }) => address.accountName === account);
    if (found === undefined) throw new Error(`no storage account ${account}`);
    return found;
  }

  /** No faults any more. */
  async clear(): Promise<void> {
    for (const front of this.all) await front.server.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
