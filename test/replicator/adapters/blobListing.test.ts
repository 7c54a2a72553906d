import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ListingParser, type ListedPage } from "../../../src/replicator/adapters/blobListing.ts";

const NAMED: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#xD;" };
const escaped = (text: string): string => text.replaceAll(/[&<>"'\r]/g, (character) => NAMED[character] ?? "");

interface Entry {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

function xmlOf(entries: readonly Entry[], next: string): string {
  const elements = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([name, value]) => (value === "" ? `<${name} />` : `<${name}>${escaped(value)}</${name}>`))
      .join("");
  const tags = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([key, value]) => `<Tag><Key>${escaped(key)}</Key><Value>${escaped(value)}</Value></Tag>`)
      .join("");
  const blobs = entries.map(
    ({ name, properties, metadata, tags: set }) =>
      `<Blob><Name>${escaped(name)}</Name><Properties>${elements(properties)}</Properties><Metadata>${elements(metadata)}</Metadata>` +
      `<Tags><TagSet>${tags(set)}</TagSet></Tags><OrMetadata /></Blob>`,
  );
  return `\u{feff}<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a/" ContainerName="c"><Blobs>${blobs.join("")}</Blobs>${next === "" ? "<NextMarker />" : `<NextMarker>${escaped(next)}</NextMarker>`}</EnumerationResults>`;
}

/** What XML can hold: no control characters but tab and newline. */
const text = fc
  .string({ unit: "grapheme", minLength: 1 })
  .filter((value) => Array.from(value).every((character) => character >= " " || "\t\n".includes(character)));
const names = fc.constantFrom("Content-Length", "Etag", "x_1", "Name", "Blob", "constructor", "__proto__");
const values = fc.dictionary(names, fc.oneof(text, fc.constant("")), { noNullPrototype: false });
const entry = fc.record({ name: text, properties: values, metadata: values, tags: fc.dictionary(text, text) });

/** In pieces of so many characters. */
function parsed(whole: string, size = 7): ListedPage {
  const parser = new ListingParser();
  for (let at = 0; at < whole.length; at += size) parser.write(whole.slice(at, at + size));
  return parser.end();
}

describe("a page of a listing", () => {
  it("has every name, property, metadatum and tag, whatever characters they have", () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.oneof(text, fc.constant("")),
        fc.integer({ min: 1, max: 500 }),
        (entries, next, size) => {
          const page = parsed(xmlOf(entries, next), size);
          expect(page.next).toBe(next === "" ? null : next);
          const present = (of: Readonly<Record<string, string>>) => Object.entries(of).filter(([, value]) => value !== "");
          expect(
            page.blobs.map(({ name, properties, metadata, tags }) => [
              name,
              Object.entries(properties),
              Object.entries(metadata),
              Object.entries(tags),
            ]),
          ).toEqual(
            entries.map(({ name, properties, metadata, tags }) => [name, present(properties), present(metadata), Object.entries(tags)]),
          );
        },
      ),
    );
  });

  it("decodes names that XML cannot hold, and only those", () => {
    const page = parsed(
      '<EnumerationResults><Blobs><Blob><Name Encoded="true">a%EF%BF%BEb</Name></Blob><Blob><Name>a%20b</Name></Blob></Blobs><NextMarker/></EnumerationResults>',
    );
    expect(page.blobs.map(({ name }) => name)).toEqual(["a\u{fffe}b", "a%20b"]);
  });

  it("is refused where it is cut off or another document, never taken for a shorter one", () => {
    const whole = xmlOf([{ name: "a", properties: { Etag: "1" }, metadata: {}, tags: {} }], "");
    for (let at = 0; at < whole.length; at += 1)
      expect(() => parsed(whole.slice(0, at)), whole.slice(0, at)).toThrow(expect.objectContaining({ code: "storage_unavailable" }));
    for (const other of ["", "<html></html>", "{}", "<EnumerationResults><Blobs><Blob></Blob></Blobs></EnumerationResults>"])
      expect(() => parsed(other)).toThrow(expect.objectContaining({ code: "storage_unavailable", retry: "retry" }));
  });
});
