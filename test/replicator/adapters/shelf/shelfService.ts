/** The imagined service of docs/drivers.md: shelves of containers in memory, behind questions and answers. */
import { errorCode } from "../../../../src/core/errors.ts";
import type { BlobInfo, WriteCondition } from "../../../../src/core/ports/storage.ts";
import { MemoryBlobContainer } from "../../../fakes/memoryBlobContainer.ts";
import type { Ask, ShelfAnswer, ShelfQuestion } from "./shelfContainer.ts";

const STATUSES: Readonly<Record<string, number>> = { container_missing: 404, blob_archived: 409, blob_changed: 410, blob_conflict: 412 };
const PAGE = 2;

export class ShelfService {
  readonly #shelves = new Map<string, MemoryBlobContainer>();

  shelf(name: string): MemoryBlobContainer {
    const shelf = this.#shelves.get(name) ?? new MemoryBlobContainer(name);
    this.#shelves.set(name, shelf);
    return shelf;
  }

  readonly ask: Ask = async (question, signal) => {
    signal.throwIfAborted();
    try {
      const body = await this.#answer(question, signal);
      return { status: 200, body: body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body)) };
    } catch (error) {
      signal.throwIfAborted();
      return empty(STATUSES[errorCode(error)] ?? 500);
    }
  };

  readonly readOnly: Ask = async (question, signal) =>
    ["PUT", "COPY"].includes(question.method) ? empty(403) : this.ask(question, signal);

  async #answer({ method, shelf: at, fields, content }: ShelfQuestion, signal: AbortSignal): Promise<unknown> {
    const shelf = this.shelf(at);
    const field = (of: string): string => String(fields[of] ?? "");
    const name = field("name");
    const condition: WriteCondition = field("replaces") === "nothing" ? "absent" : { etag: field("replaces") };
    switch (method) {
      case "LIST":
        return this.#page(shelf, field("after"));
      case "HEAD":
        return fields["sign"] === undefined
          ? shelf.head(name)
          : { url: `shelf://all/${encodeURIComponent(name)}?shelf=${at}&sig=secret-of-${at}` };
      case "GET":
        return shelf.read({ name, etag: field("etag"), length: 0 }, Number(fields["offset"]), Number(fields["count"]));
      case "PUT":
        return shelf.write(name, content ?? new Uint8Array(), { contentType: field("contentType"), condition });
      case "COPY": {
        const from = this.shelf(new URL(field("from")).searchParams.get("shelf") ?? "");
        const blob = await from.head(name);
        return shelf.copyFrom(from, { ...(blob as BlobInfo), name, etag: field("etag") }, condition, signal);
      }
    }
  }

  async #page(shelf: MemoryBlobContainer, after: string): Promise<unknown> {
    const rest = (await Array.fromAsync(shelf.list())).filter(({ name }) => after === "" || name > after);
    const blobs = rest.slice(0, PAGE);
    return { blobs, next: blobs.length < rest.length ? blobs.at(-1)?.name : null };
  }
}

function empty(status: number): ShelfAnswer {
  return { status, body: new Uint8Array() };
}
