/** What every system of static regions has: packaged videos in public containers, quick probes, and a folder with its configuration. */
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { stringify } from "yaml";
import type { StorageFront } from "../../src/sandbox/storageFront.ts";
import { packageVideo } from "../fakes/packagedVideo.ts";
import { ServeFolder } from "./serve.ts";

export function blobService({ address: { url, accountName, accountKey } }: StorageFront): BlobServiceClient {
  return new BlobServiceClient(url, new StorageSharedKeyCredential(accountName, accountKey));
}

/** Puts a packaged video into a public container of its own. */
export async function publishPackaged(front: StorageFront, container: string): Promise<void> {
  const client = blobService(front).getContainerClient(container);
  await client.create({ access: "blob" });
  for (const [path, content] of packageVideo("")) {
    const blobContentType = path.endsWith(".m3u8") ? "application/vnd.apple.mpegurl" : "application/octet-stream";
    const blobHTTPHeaders = { blobContentType, blobCacheControl: "max-age=60" };
    await client.getBlockBlobClient(path).uploadData(content, { blobHTTPHeaders, metadata: { job: "42" } });
  }
}

/** A region as an operator would write it; players reach the containers themselves, so the streaming URL is the blob service's. */
export function azureRegion(name: string, { address: { url, accountName } }: StorageFront): object {
  const credential = { kind: "account-key", accountName, accountKey: "${STATIC_TEST_KEY}" };
  return { name, streaming: url, account: { driver: "static", storage: { url, credential }, containers: "lecture-*" } };
}

/** `secrets` are in the environment of its commands, as the configuration has them. */
export async function staticFolder(regions: readonly object[], secrets: Readonly<Record<string, string>>): Promise<ServeFolder> {
  const folder = await ServeFolder.create(secrets);
  await folder.write(
    stringify({
      regions,
      gateway: { listen: "127.0.0.1:0", prefixes: ["/"] },
      admin: { listen: "127.0.0.1:0" },
      health: { interval: "500ms", fastInterval: "200ms", timeout: "1s", rise: 2 },
      replication: { interval: "1s" },
      state: { path: "paircast.db" },
    }),
  );
  return folder;
}
