/** A queue of Azure Storage into which Event Grid delivers. */
import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { EventMessage, EventQueue } from "../../core/ports/events.ts";
import { queueClient, type QueueAddress } from "./queueClient.ts";
import { refusalOf, stateError } from "./stateErrors.ts";

/** The most that the service gives at once. */
const BATCH = 32;
const HIDDEN_S = 60;

export class AzureEventQueue implements EventQueue {
  readonly #client: QueueClient;
  /** For people: no SAS. */
  readonly #label: string;

  constructor(address: QueueAddress) {
    this.#label = `queue ${address.name} at ${new URL(address.url).host}`;
    this.#client = queueClient(address, this.#label);
  }

  async receive(): Promise<readonly EventMessage[]> {
    try {
      const { receivedMessageItems } = await this.#client.receiveMessages({ numberOfMessages: BATCH, visibilityTimeout: HIDDEN_S });
      return receivedMessageItems.map(messageOf);
    } catch (error) {
      throw stateError(error, `take events from ${this.#label}`);
    }
  }

  async done(message: EventMessage): Promise<void> {
    try {
      await this.#client.deleteMessage(message.id, message.receipt);
    } catch (error) {
      const code = refusalOf(error)?.code;
      if (code !== "MessageNotFound" && code !== "PopReceiptMismatch") throw stateError(error, `remove an event from ${this.#label}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function messageOf({ messageId, popReceipt, messageText, dequeueCount }: DequeuedMessageItem): EventMessage {
  return { id: messageId, receipt: popReceipt, body: messageText, takes: dequeueCount };
}
