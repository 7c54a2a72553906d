/**
 * One region's blob storage: a server of its own address before the one Azurite, where the region has its own account. Two Azurites would refuse
 * copies between them, two accounts of one do not; the front makes that look like two storage services, and does what Azurite cannot: a copy that
 * stays pending, Put Blob From URL, a busy server, a source region that is down.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Random } from "../core/clock.ts";
import { errorChain } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { ServerCertificates } from "./certificates.ts";
import type { StorageAddress } from "./contracts.ts";
import { FaultServer } from "./faultServer.ts";
import { AzuriteLink } from "./storage/azuriteLink.ts";
import { answerError, INTERNAL_ERROR, INVALID_URI, PENDING_COPY, serverBusy, type BlobError } from "./storage/blobError.ts";
import { readBlobRequest } from "./storage/blobRequest.ts";
import { HeldCopies, type CopyHold } from "./storage/heldCopies.ts";
import { relay } from "./storage/relay.ts";
import type { StorageFronts } from "./storage/storageFronts.ts";
import { translate } from "./storage/translate.ts";

export interface StorageFrontOptions {
  /** For people and errors: `westeurope storage`. */
  readonly label: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The region's account at Azurite; its key is base64. */
  readonly account: { readonly name: string; readonly key: string };
  /** Shared by all regions; the front enters itself. */
  readonly fronts: StorageFronts;
  /** Null for plain HTTP. */
  readonly tls: ServerCertificates | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class StorageFront implements AsyncDisposable {
  /** Its faults and counts. */
  readonly server: FaultServer;
  readonly address: StorageAddress;
  readonly #handler: FrontHandler;
  readonly #fronts: StorageFronts;

  private constructor(server: FaultServer, handler: FrontHandler, options: StorageFrontOptions) {
    const { name: accountName, key: accountKey } = options.account;
    this.server = server;
    this.address = { accountName, accountKey, url: `${server.origin}/${accountName}` };
    this.#handler = handler;
    this.#fronts = options.fronts;
    this.#fronts.add({ origin: server.origin, accountName, faults: server, copies: handler.copies });
  }

  /** Resolves when it listens. Throws `port_taken` when it cannot. */
  static async start(options: StorageFrontOptions): Promise<StorageFront> {
    const handler = new FrontHandler(options);
    const listener = (_req: IncomingMessage, res: ServerResponse): void => void handler.answer(res);
    const server = await FaultServer.start({ ...options, listener });
    return new StorageFront(server, handler, options);
  }

  /** The next `requests` are answered 503 Server Busy. */
  serverBusy(requests: number, retryAfterSeconds: number): void {
    this.#handler.busy = { requests, retryAfterSeconds };
  }

  /** The next asynchronous copies to this account stay pending for a while; their content cannot be read meanwhile. */
  holdCopies(hold: CopyHold): void {
    this.#handler.copies.hold(hold);
  }

  async close(): Promise<void> {
    this.#fronts.remove(this.server.origin);
    await this.server.close();
    this.#handler.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

class FrontHandler {
  readonly copies: HeldCopies;
  busy = { requests: 0, retryAfterSeconds: 0 };
  readonly #options: StorageFrontOptions;
  readonly #link: AzuriteLink;

  constructor(options: StorageFrontOptions) {
    this.#options = options;
    this.copies = new HeldCopies(options.clock);
    this.#link = new AzuriteLink(options.fronts.azuriteUrl);
  }

  close(): void {
    this.#link.close();
  }

  async answer(res: ServerResponse): Promise<void> {
    try {
      await this.#exchange(res);
    } catch (error) {
      // A client that went away is nobody's failure.
      if (res.socket === null || res.socket.destroyed) return;
      this.#options.log.error("sandbox.storage_failed", { server: this.#options.label, error: errorChain(error) });
      if (res.headersSent) res.destroy();
      else this.#refuse(res, INTERNAL_ERROR);
    }
  }

  async #exchange(res: ServerResponse): Promise<void> {
    const { fronts, account } = this.#options;
    const { copies } = this;
    const request = readBlobRequest(res.req);
    if (request === null) {
      this.#refuse(res, INVALID_URI);
      return;
    }
    const headers = this.#busy() ?? translate(request, res.req, { account, copies, fronts });
    if (!isHeaders(headers)) {
      this.#refuse(res, headers);
      return;
    }
    const answer = await this.#link.forward(res, headers);
    if (!(await relay({ request, answer, res, copies, fronts }))) this.#refuse(res, PENDING_COPY);
  }

  #busy(): BlobError | null {
    if (this.busy.requests <= 0) return null;
    this.busy.requests -= 1;
    return serverBusy(this.busy.retryAfterSeconds);
  }

  #refuse(res: ServerResponse, error: BlobError): void {
    answerError(res, error, this.#options.random.uuid(), this.#options.clock.now());
    res.req.resume();
  }
}

function isHeaders(value: readonly string[] | BlobError): value is readonly string[] {
  return Array.isArray(value);
}
