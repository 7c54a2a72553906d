/** The SDK's client of a container, with listings and copies that cost little: they are made for every blob of every container. */
import { createHttpHeaders, createPipelineRequest, type PipelineRequestOptions, type PipelineResponse } from "@azure/core-rest-pipeline";
import { ContainerClient, RestError } from "@azure/storage-blob";
import { PaircastError } from "../../core/errors.ts";
import type { WriteCondition } from "../../core/ports/storage.ts";
import { ListingParser, type ListedPage } from "./blobListing.ts";

export interface PageOptions {
  /** Where an earlier page said that the list goes on; null: at its beginning. */
  readonly from: string | null;
  /** Blobs at most; the service gives up to 5000. */
  readonly size: number;
  readonly includeTags: boolean;
  readonly abortSignal: AbortSignal;
}

/** What Copy Blob From URL is asked for: https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url */
export interface UrlCopy {
  readonly name: string;
  /** Of the source, with all that it takes to read it. */
  readonly url: string;
  /** Of the source, as the content's MD5. */
  readonly etag: string;
  readonly contentMd5: string | null;
  readonly condition: WriteCondition;
  readonly tier: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
}

/** The first version with the cold tier; tags and encoded names are older. */
const VERSION = "2021-12-02";

export class PagedContainerClient extends ContainerClient {
  /** With the client's own SAS, if it has one. The SDK makes a client of the blob first, which is more work than a request. */
  blobUrl(name: string): string {
    const cut = this.url.indexOf("?");
    const path = name.split("/").map(encodeURIComponent).join("/");
    return cut < 0 ? `${this.url}/${path}` : `${this.url.slice(0, cut)}/${path}${this.url.slice(cut)}`;
  }

  /** Goes through the client's pipeline as all requests do. Throws `RestError` for refusals. */
  async page({ from, size, includeTags, abortSignal }: PageOptions): Promise<ListedPage> {
    const query = [
      "restype=container&comp=list",
      `include=metadata,copy${includeTags ? ",tags" : ""}`,
      ...(from === null ? [] : [`marker=${encodeURIComponent(from)}`]),
      `maxresults=${size}`,
    ].join("&");
    const url = `${this.url}${this.url.includes("?") ? "&" : "?"}${query}`;
    // A body that is read as a stream is not parsed by the SDK.
    const streamed = { streamResponseStatusCodes: new Set([200]) };
    const { readableStreamBody: body } = await this.#send({ url, method: "GET", abortSignal, ...streamed }, {}, 200);
    const parser = new ListingParser();
    body?.setEncoding("utf8");
    for await (const piece of body ?? []) parser.write(String(piece));
    return parser.end();
  }

  /** The source's properties and metadata go with it. The service compares what it reads with the MD5, and refuses what differs. */
  async copy(
    { name, url, etag, contentMd5, condition, tier, tags }: UrlCopy,
    abortSignal: AbortSignal,
  ): Promise<{ readonly etag?: string }> {
    const fields = {
      "content-length": "0",
      "x-ms-requires-sync": "true",
      "x-ms-copy-source": url,
      "x-ms-source-if-match": etag,
      ...(condition === "absent" ? { "if-none-match": "*" } : { "if-match": condition.etag }),
      ...(contentMd5 === null ? {} : { "x-ms-source-content-md5": contentMd5 }),
      ...(tier === null ? {} : { "x-ms-access-tier": tier }),
      ...(tags === null ? {} : { "x-ms-tags": tagsField(tags) }),
    };
    const { headers } = await this.#send({ url: this.blobUrl(name), method: "PUT", abortSignal }, fields, 202);
    const made = headers.get("etag");
    return made === undefined ? {} : { etag: made };
  }

  async #send(options: PipelineRequestOptions, fields: Readonly<Record<string, string>>, expected: number): Promise<PipelineResponse> {
    const headers = createHttpHeaders({ "x-ms-version": VERSION, accept: "application/xml", ...fields });
    const request = createPipelineRequest({ ...options, headers, allowInsecureConnection: true });
    const response = await this.storageClientContext.sendRequest(request);
    if (response.status === expected) return response;
    const code = response.headers.get("x-ms-error-code") ?? "";
    throw new RestError(`answered ${response.status} ${code}`, { statusCode: response.status, code, request, response });
  }
}

/** URLs lose such segments, in any encoding, and the service takes a backslash for a slash: the request would be for another blob. */
export function addressable(name: string): string {
  const lost = lostBy(name);
  if (lost === null) return name;
  throw new PaircastError("storage_rejected", `blob ${name}: ${lost}; rename it in the source`);
}

function lostBy(name: string): string | null {
  if (/(^|\/)\.\.?(\/|$)/.test(name)) return 'no URL can name it, as a segment of it is "." or ".."';
  return name.includes("\\") ? 'the service would store it with "/" for each backslash' : null;
}

function tagsField(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join("&");
}
