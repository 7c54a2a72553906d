/** The SDK's client of a container, with listings that cost little. */
import { text } from "node:stream/consumers";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { ContainerClient, RestError } from "@azure/storage-blob";
import { parseListing, type ListedPage } from "./blobListing.ts";

export interface PageOptions {
  /** Where an earlier page said that the list goes on; null: at its beginning. */
  readonly from: string | null;
  /** Blobs at most; null: the service's own number, 5000. */
  readonly size: number | null;
  readonly includeTags: boolean;
  readonly abortSignal: AbortSignal;
}

/** The first version with the cold tier; tags and encoded names are older. */
const VERSION = "2021-12-02";

export class PagedContainerClient extends ContainerClient {
  /** Goes through the client's pipeline as all requests do. Throws `RestError` for refusals. */
  async page({ from, size, includeTags, abortSignal }: PageOptions): Promise<ListedPage> {
    const query = [
      "restype=container&comp=list",
      `include=metadata,copy${includeTags ? ",tags" : ""}`,
      ...(from === null ? [] : [`marker=${encodeURIComponent(from)}`]),
      ...(size === null ? [] : [`maxresults=${size}`]),
    ].join("&");
    const request = createPipelineRequest({
      url: `${this.url}${this.url.includes("?") ? "&" : "?"}${query}`,
      method: "GET",
      headers: createHttpHeaders({ "x-ms-version": VERSION, accept: "application/xml" }),
      allowInsecureConnection: true,
      abortSignal,
      // A body that is read as a stream is not parsed by the SDK.
      streamResponseStatusCodes: new Set([200]),
    });
    const response = await this.storageClientContext.sendRequest(request);
    const { status, headers, readableStreamBody } = response;
    if (status !== 200 || readableStreamBody === undefined) {
      const code = headers.get("x-ms-error-code") ?? "";
      throw new RestError(`the listing was answered ${status} ${code}`, { statusCode: status, code, request, response });
    }
    return parseListing(await text(readableStreamBody));
  }
}
