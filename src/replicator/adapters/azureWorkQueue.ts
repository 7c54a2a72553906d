/** A work queue of Azure Storage, for the workers of many machines; its dead letters are in a table. */
import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { DeadLetter, WorkItem, WorkQueue } from "../../core/ports/work.ts";
import type { Row, Table } from "../../core/table.ts";
import { descending, jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";
import { checkWork, exhausted, workLost } from "../workLimits.ts";
import { queueClient, type QueueAddress } from "./queueClient.ts";
import { refusalOf, stateError } from "./stateErrors.ts";

/** While it is carried over to the dead letters. */
const BURIAL_MS = 60_000;
/** They wait until somebody completes them, however long that takes. */
const FOREVER = -1;

export interface AzureWorkQueueOptions extends QueueAddress {
  /** Table of the dead letters: this queue's partition has its name. */
  readonly deadLetters: Table;
  readonly maxTakes: number;
}

export class AzureWorkQueue implements WorkQueue {
  readonly #options: AzureWorkQueueOptions;
  readonly #client: QueueClient;
  /** For people: no SAS. */
  readonly #label: string;

  private constructor(options: AzureWorkQueueOptions) {
    this.#options = options;
    this.#label = `queue ${options.name} at ${new URL(options.url).host}`;
    this.#client = queueClient(options, this.#label);
  }

  /** Makes the queue where it is not there. A credential that may not make queues is enough where it is. */
  static async open(options: AzureWorkQueueOptions): Promise<AzureWorkQueue> {
    const queue = new AzureWorkQueue(options);
    try {
      await queue.#client.createIfNotExists();
    } catch (error) {
      if (refusalOf(error)?.status !== 403) throw stateError(error, `open ${queue.#label}`);
    }
    return queue;
  }

  async put(body: string, delayMs = 0): Promise<void> {
    checkWork(body, delayMs);
    const text = Buffer.from(body).toString("base64");
    const options = { visibilityTimeout: Math.ceil(delayMs / 1000), messageTimeToLive: FOREVER };
    await this.#asked("put work into", async () => this.#client.sendMessage(text, options));
  }

  async take(leaseMs: number): Promise<WorkItem | null> {
    const options = { numberOfMessages: 1, visibilityTimeout: Math.max(1, Math.ceil(leaseMs / 1000)) };
    for (;;) {
      const { receivedMessageItems } = await this.#asked("take work from", async () => this.#client.receiveMessages(options));
      const [message] = receivedMessageItems;
      if (message === undefined) return null;
      const item = itemOf(message);
      if (item.takes <= this.#options.maxTakes) return item;
      await this.bury({ ...item, takes: this.#options.maxTakes }, exhausted(this.#options.maxTakes));
    }
  }

  async renew(item: WorkItem, leaseMs: number): Promise<WorkItem> {
    return this.#hide(item, Math.max(1, Math.ceil(leaseMs / 1000)));
  }

  async complete(item: WorkItem): Promise<void> {
    await this.#asked("complete work of", async () => this.#client.deleteMessage(item.id, receiptOf(item).pop), item);
  }

  async release(item: WorkItem, delayMs = 0): Promise<void> {
    checkWork("", delayMs);
    await this.#hide(item, Math.ceil(delayMs / 1000));
  }

  /** First it is made sure that it is ours; the row is the same however often this is begun. */
  async bury(item: WorkItem, reason: string): Promise<void> {
    const { name, deadLetters } = this.#options;
    const held = await this.renew(item, BURIAL_MS);
    const { putAt } = receiptOf(item);
    const key = `dead-${descending(putAt)}-${keyOf(item.id)}`;
    const letter: DeadLetter = { id: key, body: item.body, takes: item.takes, reason, putAt };
    await deadLetters.write(name, [{ type: "replace", key, values: jsonValues(letter, `dead letter ${item.id}`), etag: null }]);
    await this.complete(held);
  }

  async pending(): Promise<number> {
    const { approximateMessagesCount = 0 } = await this.#asked("count the work of", async () => this.#client.getProperties());
    return approximateMessagesCount;
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const { name, deadLetters } = this.#options;
    const rows = await Array.fromAsync(deadLetters.list(name, keysUnder("dead-", limit)));
    return rows.map((row) => recordOf(row) as DeadLetter);
  }

  /** Put back before it is struck off: a crash between the two gives it out twice, and loses nothing. */
  async replay(id: string): Promise<boolean> {
    const { name, deadLetters } = this.#options;
    const row = await this.#letter(id);
    if (row === null) return false;
    await this.put((recordOf(row) as DeadLetter).body);
    await deadLetters.write(name, [{ type: "delete", key: row.key, etag: row.etag }]);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #letter(id: string): Promise<Row | null> {
    // Anything else is no key, and the service would refuse it.
    return /^dead-[-!.:_~0-9A-Za-z]{1,480}$/.test(id) ? this.#options.deadLetters.get(this.#options.name, id) : null;
  }

  async #hide(item: WorkItem, seconds: number): Promise<WorkItem> {
    const { putAt, pop } = receiptOf(item);
    const { popReceipt = "" } = await this.#asked(
      "keep work of",
      async () => this.#client.updateMessage(item.id, pop, undefined, seconds),
      item,
    );
    return { ...item, receipt: `${putAt} ${popReceipt}` };
  }

  async #asked<T>(what: string, ask: () => Promise<T>, item?: WorkItem): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const code = refusalOf(error)?.code;
      if (item !== undefined && (code === "MessageNotFound" || code === "PopReceiptMismatch")) throw workLost(item);
      throw stateError(error, `${what} ${this.#label}`);
    }
  }
}

function itemOf({ messageId, messageText, dequeueCount, popReceipt, insertedOn }: DequeuedMessageItem): WorkItem {
  const body = Buffer.from(messageText, "base64").toString("utf8");
  return { id: messageId, body, takes: dequeueCount, receipt: `${insertedOn.getTime()} ${popReceipt}` };
}

/** What the service knows the take by, and when the work was put: only `take` is told. */
function receiptOf({ receipt }: WorkItem): { readonly putAt: number; readonly pop: string } {
  const space = receipt.indexOf(" ");
  return { putAt: Number(receipt.slice(0, space)), pop: receipt.slice(space + 1) };
}
