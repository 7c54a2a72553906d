/** Every lint rule that guards the architecture bites: violations planted under `planted/` are reported, their clean twins are not. */
import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Finding, lintTree, type LintResult, pureFiles, repository } from "./lintTree.ts";

/** In a planted file `//! rule advice` at a line's end says what must be reported there; the advice may be shortened or left out. */
function expectations(files: ReadonlyMap<string, string>): Finding[] {
  const found: Finding[] = [];
  for (const [file, text] of files) {
    text.split("\n").forEach((content, index) => {
      for (const mark of content.split("//!").slice(1)) {
        const [rule = "", ...advice] = mark.trim().split(" ");
        found.push({ file, line: index + 1, rule, advice: advice.join(" ") });
      }
    });
  }
  return found;
}

const key = ({ file, line, rule }: Finding) => `${file}:${line} ${rule}`;

/** The planted files of one kind, with the pure template at the path of every pure file. */
async function planted(kind: "violations" | "clean"): Promise<Map<string, string>> {
  const root = join(repository, "test/lint/planted", kind);
  const files = new Map<string, string>();
  for (const entry of await readdir(join(root, "src"), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(root.length + 1), await readFile(path, "utf8"));
  }
  const template = await readFile(join(root, "pure.ts"), "utf8");
  for (const file of (await pureFiles()).filter((path) => !files.has(path))) {
    files.set(file, template.replaceAll('"../core/', `"${coreFrom(file)}/`));
  }
  return files;
}

/** `src/core` as a file imports from it. */
function coreFrom(file: string): string {
  const path = posix.relative(posix.dirname(file), "src/core");
  return path === "" ? "." : path;
}

const tooManyLines = `export function steps(): number {\n  let n = 0;\n${"  n += 1;\n".repeat(61)}  return n;\n}\n`;
const tooLongFile = Array.from({ length: 301 }, (_, index) => `export const n${index} = ${index};\n`).join("");

describe("planted violations", () => {
  let files: Map<string, string>;
  let result: LintResult;

  beforeAll(async () => {
    files = await planted("violations");
    files.set("src/gateway/longFunction.ts", tooManyLines);
    files.set("src/gateway/longFile.ts", tooLongFile);
    result = await lintTree(files);
  });

  test("every file was looked at", () => {
    expect(result.files).toBe(files.size);
  });

  test("each is reported where it is, and nothing else is", () => {
    const expected = [
      ...expectations(files).map(key),
      "src/gateway/longFunction.ts:1 eslint(max-lines-per-function)",
      "src/gateway/longFile.ts:301 eslint(max-lines)",
    ];
    expect([...new Set(result.findings.map(key))].toSorted()).toEqual(expected.toSorted());
  });

  test("each is reported with the advice of the rule that it breaks", () => {
    for (const wanted of expectations(files)) {
      const advice = result.findings.filter((found) => key(found) === key(wanted)).map((found) => found.advice);
      expect(
        advice.some((text) => text.includes(wanted.advice)),
        `${key(wanted)} says ${advice.join(" | ")}`,
      ).toBe(true);
    }
  });
});

test("the clean twins are not reported", async () => {
  const files = await planted("clean");
  const result = await lintTree(files);
  expect(result.findings).toEqual([]);
  expect(result.files).toBe(files.size);
});
