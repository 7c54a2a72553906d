import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { EXIT_CODES, EXIT_CODES_HELP } from "../../src/commands/exitCodes.ts";

const text = async (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), "utf8");
const CODES = new Set<number>(Object.values(EXIT_CODES));

it("stand in the README's table, one row each, and in the help", async () => {
  const [, table = ""] = (await text("README.md")).split("| exit code | means |\n|---|---|\n");
  const rows = [...table.slice(0, table.indexOf("\n\n")).matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(rows).toEqual([...CODES].toSorted((one, other) => one - other));
  for (const code of CODES) expect(EXIT_CODES_HELP).toMatch(new RegExp(`\\b${code}\\b`));
});

it("are nowhere else said to be others: the pages refer to that table", async () => {
  for (const page of ["docs/operations.md", "docs/drivers.md", "docs/scale.md"]) {
    const paragraphs = (await text(page)).split("\n\n").filter((paragraph) => /exit codes?\b/i.test(paragraph));
    for (const paragraph of paragraphs) {
      const said = paragraph.slice(paragraph.search(/exit codes?\b/i));
      expect(said, `${page}: ${said}`).toContain("README.md#commands");
      for (const [, code] of said.matchAll(/[:;,] (?:and )?(\d+) (?=all|when|where|something|a region)/g))
        expect(CODES, `${page}: ${said}`).toContain(Number(code));
    }
  }
});
