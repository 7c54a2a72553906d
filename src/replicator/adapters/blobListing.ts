/**
 * Reads a page of a container's listing: https://learn.microsoft.com/rest/api/storageservices/list-blobs#response-body.
 *
 * The SDK makes a dozen objects of every element of it, which is most of what it costs to look at a container of a hundred thousand blobs.
 */
import sax from "sax";
import { PaircastError } from "../../core/errors.ts";
import { percentDecoded } from "../../core/percent.ts";

export interface ListedBlob {
  readonly name: string;
  /** By the names of their elements; empty texts are left out. */
  readonly properties: Readonly<Record<string, string>>;
  /** Names as they were written, whatever their case. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface ListedPage {
  readonly blobs: readonly ListedBlob[];
  /** Where the list goes on; null at its end. */
  readonly next: string | null;
}

/** Reads a page as it comes, in pieces: as one text it would be megabytes. Both throw `storage_unavailable` (retry) for what is no whole page. */
export class ListingParser {
  readonly #page = new Page();
  readonly #parser = sax.parser(true);

  constructor() {
    const [page, parser] = [this.#page, this.#parser];
    parser.onopentag = ({ name, attributes }) => {
      page.open(name, attributes["Encoded"] === "true");
    };
    // A long text comes in pieces.
    parser.ontext = (piece) => {
      page.text(piece);
    };
    parser.onclosetag = (name) => {
      page.close(name);
    };
    parser.onerror = (error) => {
      throw noPage(error.message.split("\n", 1)[0] ?? "it is no XML");
    };
  }

  write(piece: string): void {
    this.#parser.write(piece);
  }

  end(): ListedPage {
    this.#parser.close();
    return this.#page.end();
  }
}

type Texts = Record<string, string>;

class Page {
  readonly #blobs: ListedBlob[] = [];
  readonly #path: string[] = [];
  #next = "";
  #isWhole = false;
  #name: string | null = null;
  #properties: Texts = texts();
  #metadata: Texts = texts();
  #tags: Texts = texts();
  #key = "";
  #text = "";
  #isEncoded = false;

  open(name: string, isEncoded: boolean): void {
    this.#path.push(name);
    this.#text = "";
    this.#isEncoded = isEncoded;
    if (this.#path[0] !== "EnumerationResults") throw noPage("it is another document");
  }

  text(piece: string): void {
    this.#text += piece;
  }

  close(name: string): void {
    const [, list] = this.#path;
    const content = this.#text;
    this.#text = "";
    if (this.#path.length === 1) this.#isWhole = true;
    if (this.#path.length === 2 && list === "NextMarker") this.#next = content;
    if (list === "Blobs") this.#closeInList(name, content);
    this.#path.pop();
  }

  /** What is where is told by depth alone: metadata may have any name, also those of the elements around them. */
  #closeInList(name: string, content: string): void {
    const part = this.#path[3] ?? "";
    const depth = this.#path.length;
    if (depth === 3 && name === "Blob") this.#add();
    if (depth === 4 && part === "Name") this.#name = this.#isEncoded ? decoded(content) : content;
    if (depth === 5) this.#property(part, name, content);
    if (depth === 7 && part === "Tags") this.#tag(name, content);
  }

  end(): ListedPage {
    if (!this.#isWhole) throw noPage("it is cut off");
    return { blobs: this.#blobs, next: this.#next === "" ? null : this.#next };
  }

  #property(part: string, name: string, content: string): void {
    if (content === "") return;
    if (part === "Properties") this.#properties[name] = content;
    if (part === "Metadata") this.#metadata[name] = content;
  }

  #tag(name: string, content: string): void {
    if (name === "Key") this.#key = content;
    if (name === "Key" || name === "Value") this.#tags[this.#key] = name === "Key" ? "" : content;
  }

  #add(): void {
    if (this.#name === null) throw noPage("an entry has no name");
    this.#blobs.push({ name: this.#name, properties: this.#properties, metadata: this.#metadata, tags: this.#tags });
    this.#name = null;
    [this.#properties, this.#metadata, this.#tags] = [texts(), texts(), texts()];
  }
}

/** Without the names that objects have by themselves. */
function texts(): Texts {
  return Object.create(null) as Texts;
}

/** Names that XML cannot hold come percent-encoded. */
function decoded(name: string): string {
  const text = percentDecoded(name);
  if (text === null) throw noPage("a name is not encoded as it says");
  return text;
}

function noPage(why: string): PaircastError {
  return new PaircastError("storage_unavailable", `read a page of a container's listing: ${why}`, { retry: "retry" });
}
