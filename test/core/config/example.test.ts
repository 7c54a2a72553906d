/** The annotated example in the repository: valid, complete, and telling the truth about defaults. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
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

test("mentions every setting, the optional ones too", () => {
  const mentioned = new Set([...text.matchAll(/\b([a-zA-Z]+)(?=:|[,}])/g)].map((found) => found[1] ?? ""));
  const known = settings(z.toJSONSchema(configSchema, { io: "input" }));
  expect(known).toContain("publicUrl");
  expect([...new Set(known)].filter((name) => !mentioned.has(name))).toEqual([]);
});

/** Names of properties in a JSON schema, at any depth. */
function settings(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([name, inner]: [string, unknown]) => {
    const own = name === "properties" && typeof inner === "object" && inner !== null ? Object.keys(inner) : [];
    return [...own, ...settings(inner)];
  });
}
