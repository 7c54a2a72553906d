import { describe, expect, it } from "vitest";
import { anchorDash, steerDash } from "../../../src/gateway/dash/dash.ts";
import type { Rewritten } from "../../../src/gateway/pathway.ts";
import { MULTI_PERIOD } from "./manifests.ts";
import { ANCHOR, mpdWith, steer, STEER } from "./world.ts";

function both(text: string): Rewritten[] {
  return [steerDash(text, STEER), anchorDash(text, ANCHOR)];
}

function reasons(text: string): string[] {
  return both(text).map((rewritten) => (rewritten.ok ? "rewritten" : rewritten.reason));
}

function nested(levels: number): string {
  return mpdWith({ tail: "<x>".repeat(levels) + "</x>".repeat(levels) });
}

const LAUGHS = `<!DOCTYPE MPD [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>${mpdWith({ tail: "<x>&c;</x>" })}`;

describe("documents that are refused", () => {
  it.each([
    ["nothing", ""],
    ["an HLS playlist", "#EXTM3U\n#EXT-X-VERSION:6\n"],
    ["an error page that is no XML", "<html><br></html>"],
    ["text around the root", `x${mpdWith()}`],
    ["two roots", mpdWith() + mpdWith()],
    ["an end tag of another element", "<MPD><a></MPD>"],
    ["half a document", MULTI_PERIOD.slice(0, 700)],
    ["an attribute twice", mpdWith({ tail: '<x a="1" a="2"/>' })],
    ["an attribute without quotes", mpdWith({ tail: "<x a=1/>" })],
    ["an ampersand by itself", mpdWith({ tail: '<x a="1&2"/>' })],
    ["an ampersand in text", mpdWith({ tail: "<x>1 & 2</x>" })],
    ["an unknown entity", mpdWith({ tail: "<x>&nbsp;</x>" })],
    ["a prefix of no namespace", mpdWith({ tail: "<y:x/>" })],
    ["a character that XML has no place for", mpdWith({ tail: "<x>\u0001</x>" })],
    ["the same by reference", mpdWith({ tail: "<x>&#1;</x>" })],
    ["the same by reference in an attribute", mpdWith({ tail: '<x a="&#xFFFE;"/>' })],
    ["half a surrogate pair", mpdWith({ tail: "<x>\uD83D</x>" })],
    ["a document type", `<!DOCTYPE MPD SYSTEM "https://evil.example/x.dtd">${mpdWith()}`],
    ["a document type after a comment", `<?xml version="1.0"?><!-- c --><!DOCTYPE MPD>${mpdWith()}`],
    ["a billion laughs", LAUGHS],
    ["no period", '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>'],
  ])("%s", (name, text) => {
    expect(reasons(text)[0]).toBe("malformed");
    if (name !== "no period") expect(reasons(text)[1]).toBe("malformed");
  });

  it.each([
    ["XHTML", '<html xmlns="http://www.w3.org/1999/xhtml"><p>Not found</p></html>'],
    ["Smooth Streaming", "<SmoothStreamingMedia/>"],
    ["an MPD patch", '<Patch xmlns="urn:mpeg:dash:schema:mpd-patch:2020"/>'],
  ])("%s is no MPD", (_name, text) => {
    expect(reasons(text)).toEqual(["not_mpd", "not_mpd"]);
  });

  it("what is too long or too deep", () => {
    expect(reasons(`<MPD>${"<x/>".repeat(1_100_000)}</MPD>`)).toEqual(["malformed", "malformed"]);
    expect(reasons(nested(100))).toEqual(["malformed", "malformed"]);
    expect(reasons(nested(100_000))).toEqual(["malformed", "malformed"]);
    expect(reasons(mpdWith({ head: "<BaseURL>a/</BaseURL>".repeat(100_000) }))).toEqual(["malformed", "malformed"]);
    expect(reasons(mpdWith({ attributes: Array.from({ length: 100_000 }, (_, at) => ` xmlns:n${at}="n"`).join("") }))).toEqual([
      "malformed",
      "malformed",
    ]);
    expect(reasons(nested(50))).toEqual(["rewritten", "rewritten"]);
  });

  it("a refusal does not quote the document", () => {
    const refused = both(`<MPD token="secret"><a></MPD>`);
    expect(JSON.stringify(refused)).not.toContain("secret");
  });
});

describe("documents that are taken", () => {
  it("a byte order mark goes", () => {
    expect(steer(`\uFEFF${MULTI_PERIOD}`)).toBe(steer(MULTI_PERIOD));
  });

  it("line ends become those of XML (§2.11)", () => {
    expect(steer(MULTI_PERIOD.replaceAll("\n", "\r\n"))).toBe(steer(MULTI_PERIOD));
  });

  it("a timeline of a day in reasonable time", () => {
    const entries = Array.from({ length: 20_000 }, (_, at) => `<S t="${at * 2_000}" d="${1_999 + (at % 3)}"/>`).join("\n");
    const set = `<SegmentTemplate media="$Time$.m4s"><SegmentTimeline>${entries}</SegmentTimeline></SegmentTemplate>`;
    expect(steer(mpdWith({ set }))).toContain(entries);
  });
});
