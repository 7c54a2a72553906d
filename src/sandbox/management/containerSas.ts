/** `listContainerSas`: shared access signatures of an asset's container, signed with the storage account's key. */
import { ContainerSASPermissions, generateBlobSASQueryParameters, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { JsonObject } from "../contracts.ts";
import type { Emulator } from "./emulator.ts";
import { badRequest } from "./errors.ts";
import { textField, timeField } from "./fields.ts";

const DAY_MS = 24 * 3600 * 1000;
/** The service's own `sp` where recorded (`rl`) or in its examples (`lrw`); `c` lets copies create blobs under it. */
const PERMISSIONS: Readonly<Record<string, string>> = { Read: "rl", ReadWrite: "rcwl", ReadWriteDelete: "rcwdl" };

/** Two URLs, one per key in the real service. The sandbox's storage has one key, so both are the same. */
export function containerSas({ storage, clock }: Emulator, containerName: string, request: JsonObject): JsonObject {
  const name = textField(request, "permissions") ?? "Read";
  const permissions = PERMISSIONS[name];
  if (permissions === undefined)
    throw badRequest(`The value '${name}' of 'permissions' is not one of ${Object.keys(PERMISSIONS).join(", ")}.`);
  const expiry = timeField(request, "expiryTime")?.ms ?? null;
  const lifetime = (expiry ?? 0) - clock.now();
  if (expiry === null || lifetime <= 0 || lifetime >= DAY_MS) {
    throw badRequest("The value of 'expiryTime' must be in the future and less than 24 hours ahead.");
  }
  const credential = new StorageSharedKeyCredential(storage.accountName, storage.accountKey);
  const signature = generateBlobSASQueryParameters(
    { containerName, permissions: ContainerSASPermissions.parse(permissions), expiresOn: new Date(expiry) },
    credential,
  );
  const url = `${storage.url}/${containerName}?${signature.toString()}`;
  return { assetContainerSasUrls: [url, url] };
}
