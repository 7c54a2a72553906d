/** Opens a queue of Azure Storage for the SDK. */
import { newPipeline, QueueClient, StorageSharedKeyCredential } from "@azure/storage-queue";
import type { ServiceCalls } from "./serviceCalls.ts";
import type { StorageLogin } from "./storageClients.ts";

export interface QueueAddress {
  /** Queue service URL without a trailing slash; path-style (`http://host:port/account`) where the service is. */
  readonly url: string;
  /** 3 to 63 lower-case letters, digits and single hyphens. */
  readonly name: string;
  readonly login: StorageLogin;
  readonly calls: ServiceCalls;
}

/** `label`: for people, without a SAS. */
export function queueClient({ url, name, login, calls }: QueueAddress, label: string): QueueClient {
  const credential = login.kind === "account-key" ? new StorageSharedKeyCredential(login.accountName, login.accountKey) : undefined;
  const pipeline = newPipeline(credential ?? (login.kind === "token" ? login.credential : undefined), { retryOptions: { maxTries: 1 } });
  pipeline.factories.push({
    create: (next) => ({
      sendRequest: async (request) =>
        calls.run(`ask ${label}`, async (signal) => {
          request.abortSignal = signal;
          return next.sendRequest(request);
        }),
    }),
  });
  const sas = login.kind === "sas" ? `?${login.sas.replace(/^\?/, "")}` : "";
  return new QueueClient(`${url}/${name}${sas}`, pipeline);
}
