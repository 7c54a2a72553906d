/** One blob that is to be copied into a container. */
import type { Tags } from "@azure/storage-blob";
import type { BlobContainer, BlobInfo, Pace, WriteCondition } from "../../core/ports/storage.ts";

export interface CopyTask {
  readonly source: BlobContainer;
  readonly blob: BlobInfo;
  readonly condition: WriteCondition;
  readonly tags: Tags | undefined;
  readonly signal: AbortSignal | undefined;
  readonly pace: Pace | undefined;
}
