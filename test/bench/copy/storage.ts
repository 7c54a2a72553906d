/** The storage of a bench of copies: Azurite with one account, and the containers in it. */
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  SASProtocol,
  StorageSharedKeyCredential,
  generateAccountSASQueryParameters,
} from "@azure/storage-blob";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { Azurite } from "../../../src/sandbox/azurite.ts";
import { inLanes } from "../process.ts";

const ACCOUNT = "bench";
const KEY = Buffer.alloc(64, 7).toString("base64");

/** What is to be copied: so many blobs of so many bytes. */
export interface Load {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

export class BenchStorage implements AsyncDisposable {
  readonly pid: number;
  readonly origin: string;
  readonly #azurite: Azurite;
  readonly #client: BlobServiceClient;
  #made = 0;

  private constructor(azurite: Azurite) {
    this.#azurite = azurite;
    this.pid = azurite.pid;
    this.origin = azurite.url;
    this.#client = new BlobServiceClient(`${azurite.url}/${ACCOUNT}`, new StorageSharedKeyCredential(ACCOUNT, KEY));
  }

  static async start(): Promise<BenchStorage> {
    return new BenchStorage(await Azurite.start({ accounts: [{ name: ACCOUNT, key: KEY }], port: 0, clock: systemClock, log: silentLog }));
  }

  /** URL of the account with a SAS that may do everything, at Azurite's own address or at that of something before it. */
  url(origin = this.origin): string {
    const query = generateAccountSASQueryParameters(
      {
        permissions: AccountSASPermissions.parse("rwdlactf"),
        resourceTypes: AccountSASResourceTypes.parse("sco").toString(),
        services: AccountSASServices.parse("b").toString(),
        expiresOn: new Date(systemClock.now() + 86_400_000),
        protocol: SASProtocol.HttpsAndHttp,
      },
      new StorageSharedKeyCredential(ACCOUNT, KEY),
    );
    return `${origin}/${ACCOUNT}?${query.toString()}`;
  }

  /** One blob is uploaded, with its MD5; the others are copies of it. */
  async seed({ count, bytes }: Load): Promise<string> {
    const name = await this.empty();
    const container = this.#client.getContainerClient(name);
    const first = container.getBlockBlobClient(blobName(0));
    await first.upload(Buffer.alloc(bytes, "paircast"), bytes, { blobHTTPHeaders: { blobContentType: "video/mp4" } });
    const rest = Array.from({ length: count - 1 }, (_, at) => blobName(at + 1));
    await inLanes(rest, 8, async (blob) => container.getBlobClient(blob).syncCopyFromURL(first.url));
    return name;
  }

  async empty(): Promise<string> {
    this.#made += 1;
    const name = `bench-${this.#made}`;
    await this.#client.createContainer(name);
    return name;
  }

  /** Throws where the container has not exactly what was to be copied. */
  async check(container: string, { name, count, bytes }: Load): Promise<void> {
    let found = 0;
    for await (const blob of this.#client.getContainerClient(container).listBlobsFlat()) {
      if (blob.properties.contentLength !== bytes)
        throw new Error(`${name}: ${blob.name} has ${blob.properties.contentLength} bytes, not ${bytes}`);
      found += 1;
    }
    if (found !== count) throw new Error(`${name}: ${found} blobs arrived, not ${count}`);
  }

  async remove(container: string): Promise<void> {
    await this.#client.deleteContainer(container);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#azurite.stop();
  }
}

function blobName(at: number): string {
  return `seg-${String(at).padStart(6, "0")}.m4s`;
}
