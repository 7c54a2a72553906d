import { expect, it } from "vitest";
import { isWellFormed } from "../../src/core/playback/xml.ts";

it.each([
  "<a/>",
  '<?xml version="1.0"?>\n<!-- c -- d --><a x="1" y=\'2\'><b:c d:e="&lt;&#65;&#x41;">text &amp; more<![CDATA[ <&> ]]></b:c><b /></a>\n',
])("takes %j", (text) => {
  expect(isWellFormed(text)).toBe(true);
});

it.each([
  "",
  "text",
  "<a>",
  "</a>",
  "<a></b>",
  "<a><b></a></b>",
  "<a/><a/>",
  "<a:b:c/>",
  '<a b::c="d"/>',
  "<a x></a>",
  "<a x=1/>",
  '<a x="<"/>',
  '<a x="&y"/>',
  "<a>&y</a>",
  "<a>&nbsp;</a>",
  "<a",
  "<a><!-- </a>",
  "<!DOCTYPE a><a/>",
  '<!DOCTYPE a [<!ENTITY b "c">]><a/>',
])("refuses %j", (text) => {
  expect(isWellFormed(text)).toBe(false);
});
