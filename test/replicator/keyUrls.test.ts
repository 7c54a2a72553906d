import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TreeObject } from "../../src/core/media.ts";
import { rewriteKeyUrls, rewriteTemplate, withoutKeyUrls } from "../../src/replicator/keyUrls.ts";
import { STREAMING_POLICIES } from "../conformance/policies.ts";

const RULES = [
  { from: "https://keys.example.net", to: "https://play.example.com/keys" },
  { from: "https://licences.example.net/v1", to: "https://play.example.com/keys/licences" },
];

describe("key URL templates", () => {
  it.each([
    ["https://keys.example.net/?kid={ContentKeyId}", "https://play.example.com/keys/?kid={ContentKeyId}"],
    ["https://keys.example.net?kid={ContentKeyId}", "https://play.example.com/keys?kid={ContentKeyId}"],
    ["https://keys.example.net", "https://play.example.com/keys"],
    ["HTTPS://KEYS.example.NET/A/{AlternativeMediaId}", "https://play.example.com/keys/A/{AlternativeMediaId}"],
    ["https://licences.example.net/v1/wv", "https://play.example.com/keys/licences/wv"],
  ])("%s is led to %s", (template, wanted) => {
    expect(rewriteTemplate(template, RULES)).toBe(wanted);
  });

  it.each([
    "https://keys.example.net.evil.test/?kid={ContentKeyId}",
    "https://keys.example.network/",
    "https://licences.example.net/v10/wv",
    "https://licences.example.net/V1/wv",
    "http://keys.example.net/",
    "skd://keys.example.net/",
    "",
  ])("%s stays", (template) => {
    expect(rewriteTemplate(template, RULES)).toBe(template);
  });

  it("use the first rule that fits", () => {
    const rules = [
      { from: "https://k.test/a", to: "https://g.test/1" },
      { from: "https://k.test", to: "https://g.test/2" },
    ];
    expect([rewriteTemplate("https://k.test/a/b", rules), rewriteTemplate("https://k.test/b", rules)]).toEqual([
      "https://g.test/1/b",
      "https://g.test/2/b",
    ]);
  });

  it("keep what follows the prefix to the letter", () => {
    const rest = fc.string({ maxLength: 20 }).map((text) => `/${text}`);
    fc.assert(
      fc.property(rest, (text) => rewriteTemplate(`https://keys.example.net${text}`, RULES) === `https://play.example.com/keys${text}`),
    );
  });
});

describe("a streaming policy", () => {
  const hosts = (tree: TreeObject): readonly string[] =>
    [...JSON.stringify(tree).matchAll(/https:\/\/([^/?"]+)/g)].map(([, host = ""]) => host);

  it.each(STREAMING_POLICIES)("$name has every template led to the gateway, and nothing else changed", (policy) => {
    const rewritten = rewriteKeyUrls(policy, RULES);
    expect(rewritten.name).toBe(policy.name);
    expect(hosts(rewritten.properties)).toEqual(hosts(policy.properties).map(() => "play.example.com"));
    expect(withoutKeyUrls(rewritten.properties)).toEqual(withoutKeyUrls(policy.properties));
    expect(rewriteKeyUrls(rewritten, RULES)).toEqual(rewritten);
  });

  it("is the very same where no rule is configured", () => {
    for (const policy of STREAMING_POLICIES) expect(rewriteKeyUrls(policy, [])).toBe(policy);
  });
});
