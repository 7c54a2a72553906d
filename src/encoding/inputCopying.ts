/** Copies an uploaded file from one region's asset into another's: by the storage itself where it can, else through this process. */
import type { EncodingInput } from "../core/encoding.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import type { MediaAsset } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { BlobContainer, BlobInfo } from "../core/ports/storage.ts";

export interface InputPlace {
  readonly account: MediaAccount;
  readonly assetName: string;
}

export interface InputCopying {
  readonly input: Extract<EncodingInput, { readonly kind: "upload" }>;
  readonly from: InputPlace;
  readonly to: InputPlace;
}

/** What another try has made of it is taken as it is. Throws `input_missing` where the source does not have the file as it was uploaded. */
export async function copyInput({ input, from, to }: InputCopying, signal: AbortSignal): Promise<void> {
  const { fileName } = input;
  const what = `copy ${fileName} from asset ${from.assetName} of ${from.account.region} to ${to.account.region}`;
  const asset = await from.account.asset(from.assetName, signal);
  if (asset === null) throw new PaircastError("input_missing", `${what}: there is no such asset`);
  const source = from.account.container(asset, "read");
  const blob = await source.head(fileName, signal);
  if (!isWhole(blob, input)) throw new PaircastError("input_missing", `${what}: it does not have the file of ${input.bytes} bytes`);
  const target = to.account.container(await inputAsset(to, signal), "write");
  if (isWhole(await target.head(fileName, signal), input)) return;
  await copyFile(source, target, blob, signal);
  if (isWhole(await target.head(fileName, signal), input)) return;
  throw new PaircastError("storage_unavailable", `${what}: what is there now is not the file`, { retry: "retry" });
}

/** Whoever else copies it may have made it. */
export async function inputAsset({ account, assetName }: InputPlace, signal: AbortSignal): Promise<MediaAsset> {
  const spec = { name: assetName, container: assetName, alternateId: null, description: "Input of an encoding job" };
  try {
    return await account.createAsset(spec, signal);
  } catch (error) {
    const present = errorCode(error) === "media_exists" ? await account.asset(assetName, signal) : null;
    if (present === null) throw error;
    return present;
  }
}

async function copyFile(source: BlobContainer, target: BlobContainer, blob: BlobInfo, signal: AbortSignal): Promise<void> {
  try {
    await target.copyFrom(source, blob, "absent", signal);
  } catch (error) {
    // Somebody else was faster: what is there is looked at.
    if (errorCode(error) !== "blob_conflict") throw error;
  }
}

/** A copy under way shows the length that it will have. */
function isWhole(blob: BlobInfo | null, { bytes }: InputCopying["input"]): blob is BlobInfo {
  return blob !== null && blob.length === bytes && (blob.copyStatus ?? "success") === "success";
}
