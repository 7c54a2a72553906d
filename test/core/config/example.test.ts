/** The annotated example in the repository: valid, complete, and telling the truth about defaults. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseConfig } from "../../../src/core/config/load.ts";
import { configSchema } from "../../../src/core/config/schema.ts";

const text = await readFile(new URL("../../../paircast.example.yaml", import.meta.url), "utf8");
const env = { AZURE_SUBSCRIPTION_ID: "00000000-0000-4000-8000-000000000000", RAVNUR_API_KEY: "key", CANARY_TOKEN: "token" };
const readFileOf = (path: string): string => {
  throw new Error(`the example reads ${path}`);
};

test("is valid", () => {
  const config = parseConfig("paircast.example.yaml", text, { env, readFile: readFileOf });
  expect(config.regions.map(({ name, account }) => [name, account.driver])).toEqual([
    ["westeurope", "ams"],
    ["northeurope", "ams"],
    ["backup", "static"],
  ]);
});

test("shows the default of everything below the regions", () => {
  const { regions, ...rest } = parseConfig("paircast.example.yaml", text, { env, readFile: readFileOf });
  const { regions: _, ...defaults } = configSchema.parse({ regions: [{ name: regions[0]?.name, streaming: regions[0]?.streaming }] });
  expect(rest).toEqual(defaults);
});

test("mentions every setting", () => {
  const mentioned = new Set([...text.matchAll(/^[\s#-]*([a-zA-Z]+):/gm)].map((found) => found[1] ?? ""));
  const { regions, ...defaults } = configSchema.parse({ regions: [{ name: "a", streaming: "https://a.example" }] });
  expect(regions).toHaveLength(1);
  expect(settings(defaults).filter((name) => !mentioned.has(name))).toEqual([]);
});

/** Names of settings, at any depth; a listen address is one setting. */
function settings(value: object): string[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner) && name !== "listen" ? [name, ...settings(inner)] : [name],
  );
}
