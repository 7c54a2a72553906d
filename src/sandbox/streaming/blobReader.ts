/** `BlobReader` over a region's blob storage. The only file of the streaming endpoint that knows the storage SDK. */
import { buffer } from "node:stream/consumers";
import { BlobServiceClient, RestError, StorageSharedKeyCredential } from "@azure/storage-blob";
import { PaircastError } from "../../core/errors.ts";
import type { StorageAddress } from "../contracts.ts";
import type { BlobAnswer, BlobQuestion, BlobReader } from "./blobs.ts";

/** Long enough for a slow disk, short enough that a player hears of dead storage before it gives up by itself. */
const TRY_TIMEOUT_MS = 5_000;

/** Reads with the account key, over the region's own storage front, so that a storage fault also shows in streaming. */
export function storageBlobReader(storage: StorageAddress): BlobReader {
  const credential = new StorageSharedKeyCredential(storage.accountName, storage.accountKey);
  const service = new BlobServiceClient(storage.url, credential, { retryOptions: { maxTries: 2, tryTimeoutInMs: TRY_TIMEOUT_MS } });
  return {
    read: async (question) => {
      try {
        return await download(service, question);
      } catch (error) {
        return answerOf(error, question);
      }
    },
  };
}

async function download(service: BlobServiceClient, question: BlobQuestion): Promise<BlobAnswer> {
  const blob = service.getContainerClient(question.container).getBlobClient(question.name);
  const conditions = {
    ...(question.ifMatch === undefined ? {} : { ifMatch: question.ifMatch }),
    ...(question.ifNoneMatch === undefined ? {} : { ifNoneMatch: question.ifNoneMatch }),
  };
  const answer = await blob.download(question.offset, question.count, { conditions });
  if (answer.readableStreamBody === undefined || answer.etag === undefined) {
    throw new PaircastError("storage_unreadable", `storage answered without body or ETag for ${question.container}/${question.name}`);
  }
  return { kind: "found", bytes: await buffer(answer.readableStreamBody), etag: answer.etag };
}

function answerOf(error: unknown, { container, name }: BlobQuestion): BlobAnswer {
  const status = error instanceof RestError ? error.statusCode : undefined;
  if (status === 404 || status === 416) return { kind: "absent" };
  if (status === 304) return { kind: "unchanged" };
  if (status === 412) return { kind: "changed" };
  throw new PaircastError("storage_unreadable", `cannot read ${container}/${name} from the region's storage`, {
    retry: "retry",
    cause: error,
  });
}
