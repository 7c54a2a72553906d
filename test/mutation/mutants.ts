/** Small changes to a source file that its tests should notice, made line by line from its text. */

export interface Mutant {
  /** 1-based. */
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** The whole file with the change. */
  readonly text: string;
}

type Replacement = string | ((found: string) => string);

/** What is replaced, and by what. Types, imports and comments are left alone: a change there changes nothing. */
const OPERATORS: readonly (readonly [RegExp, Replacement])[] = [
  [/>=/g, ">"],
  [/<=/g, "<"],
  [/ > /g, " >= "],
  [/ < /g, " <= "],
  [/===/g, "!=="],
  [/!==/g, "==="],
  [/&&/g, "||"],
  [/\|\|/g, "&&"],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ \* /g, " / "],
  [/ \/ /g, " * "],
  [/\+= 1/g, "-= 1"],
  [/-= 1/g, "+= 1"],
  [/\btrue\b/g, "false"],
  [/\bfalse\b/g, "true"],
  [/\bnull\b/g, "0"],
  [/!(?=[a-z(])/g, ""],
  [/Math\.min/g, "Math.max"],
  [/Math\.max/g, "Math.min"],
  [/Math\.(?:floor|round)/g, "Math.ceil"],
  [/Math\.ceil/g, "Math.floor"],
  [/(?<![\w.])\d[\d_]*(?![\w.])/g, (found) => String(Number(found.replaceAll("_", "")) + 1)],
  [/(?<==== |!== |\? |: )"[a-z_]+"/g, '"something_else"'],
];

/** Every mutant of a file. A statement that does something by itself is also left out once. */
export function mutantsOf(text: string): Mutant[] {
  const lines = text.split("\n");
  const mutants: Mutant[] = [];
  for (const [index, line] of codeLines(lines)) {
    const changed = new Set(OPERATORS.flatMap(([pattern, replacement]) => replacements(line, pattern, replacement)));
    if (/^\s*(?:if \(.*|this\.|[a-z]\w*\.?\w*\()(?:.*);$/.test(line)) changed.add("");
    changed.delete(line);
    for (const after of changed) mutants.push({ line: index + 1, before: line, after, text: lines.with(index, after).join("\n") });
  }
  return mutants;
}

function replacements(line: string, pattern: RegExp, replacement: Replacement): string[] {
  return [...line.matchAll(pattern)].map((found) => {
    const to = typeof replacement === "string" ? replacement : replacement(found[0]);
    return line.slice(0, found.index) + to + line.slice(found.index + found[0].length);
  });
}

const NO_CODE =
  /^\s*(?:\/\/|\| |\/?\*|import |export (?:interface|type) |interface |type |readonly |(?:export )?(?:async )?function |\}?,?$)/;

/** Lines that do something, each with its index. The body of an interface consists of `readonly` lines, a union of `|` lines. */
function* codeLines(lines: readonly string[]): Generator<readonly [number, string]> {
  let inComment = false;
  for (const [index, line] of lines.entries()) {
    if (line.trim().startsWith("/**")) inComment = true;
    if (!inComment && !NO_CODE.test(line)) yield [index, line];
    if (line.includes("*/")) inComment = false;
  }
}
