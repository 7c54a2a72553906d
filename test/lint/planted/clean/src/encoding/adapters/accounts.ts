import { BlobServiceClient } from "@azure/storage-blob";
import { setTimeout as delay } from "node:timers/promises";

export async function open(url: string): Promise<BlobServiceClient> {
  await delay(Math.random());
  return new BlobServiceClient(url);
}
