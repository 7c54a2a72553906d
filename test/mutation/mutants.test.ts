import { expect, it } from "vitest";
import { mutantsOf } from "./mutants.ts";

const SOURCE = `/**
 * a === b
 */
import { c } from "./c.ts";
export interface Shape {
  readonly kind: "one" | "two";
}
export type Either =
  | { readonly kind: "one" }
  | { readonly kind: "two" };
// a + b
export function f(a: number, b: boolean): string | null {
  if (a >= 10 && !b) return null;
  g(a);
  return a === 2 ? "one" : "two";
}
`;

it("changes what does something, and nothing else", () => {
  expect(mutantsOf(SOURCE).map(({ line, after }) => `${line} ${after.trim()}`)).toEqual([
    "13 if (a > 10 && !b) return null;",
    "13 if (a >= 10 || !b) return null;",
    "13 if (a >= 10 && !b) return 0;",
    "13 if (a >= 10 && b) return null;",
    "13 if (a >= 11 && !b) return null;",
    "13 ",
    "14 ",
    '15 return a !== 2 ? "one" : "two";',
    '15 return a === 3 ? "one" : "two";',
    '15 return a === 2 ? "something_else" : "two";',
    '15 return a === 2 ? "one" : "something_else";',
  ]);
});

it("gives the whole file with the change", () => {
  const [first] = mutantsOf(SOURCE);
  expect(first?.text).toBe(SOURCE.replace(">=", ">"));
});
