/** The list of pure files in `.oxlintrc.json` against the tree: what is listed is there, and imports nothing but pure files. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { pureFiles, repository } from "./lintTree.ts";

const AREAS = ["core", "gateway", "health", "replicator", "encoding"];

/** Names that are pure by the project's design, wherever the file exists, and files that say so in their opening comment. */
const PURE_BY_DESIGN = new Set([
  ...["contracts", "errors", "media"].map((name) => `src/core/${name}.ts`),
  ...["request", "candidates", "decide", "headers", "hls", "dash", "steering"].map((name) => `src/gateway/${name}.ts`),
  ...["state", "schedule"].map((name) => `src/health/${name}.ts`),
  ...["job", "plan", "normalise"].map((name) => `src/replicator/${name}.ts`),
  ...["job", "place"].map((name) => `src/encoding/${name}.ts`),
]);
/** All of it: interfaces, and nothing that runs. */
const PORTS = "src/core/ports/";
const SAYS_SO = /^\/\*\*(?:(?!\*\/)[^])*\bPure\b/;

async function pureByDesign(): Promise<string[]> {
  const pure: string[] = [];
  for (const area of AREAS.filter((name) => existsSync(join(repository, "src", name)))) {
    for (const entry of await readdir(join(repository, "src", area), { recursive: true })) {
      const file = join("src", area, entry);
      if (!file.endsWith(".ts")) continue;
      if (PURE_BY_DESIGN.has(file) || file.startsWith(PORTS) || SAYS_SO.test(await readFile(join(repository, file), "utf8")))
        pure.push(file);
    }
  }
  return pure;
}

/** `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`: the project's formatter leaves only double quotes. */
const IMPORT = /\b(?:from|import) ?\(?"([^"]+)"/g;

describe("pure files", () => {
  let listed: readonly string[];

  beforeAll(async () => {
    listed = await pureFiles();
  });

  test("are listed once each", () => {
    expect(listed.length).toBeGreaterThan(0);
    expect(new Set(listed).size).toBe(listed.length);
  });

  test("exist", () => {
    expect(listed.filter((file) => !existsSync(join(repository, file)))).toEqual([]);
  });

  test("are listed when they are pure by design", async () => {
    expect((await pureByDesign()).filter((file) => !listed.includes(file))).toEqual([]);
  });

  test("import only pure files", async () => {
    const outside: string[] = [];
    for (const file of listed) {
      const text = await readFile(join(repository, file), "utf8");
      for (const [, specifier = ""] of text.matchAll(IMPORT)) {
        const target = specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : specifier;
        if (!listed.includes(target)) outside.push(`${file} imports ${specifier}`);
      }
    }
    expect(outside).toEqual([]);
  });
});
