/** A lint rule that oxlint has no setting for: `new Date()` and `Date()` read the clock, `new Date(ms)` does not. */

interface Call {
  readonly callee: { readonly type: string; readonly name?: string };
  readonly arguments: readonly unknown[];
}

interface Context {
  report(problem: { readonly node: Call; readonly message: string }): void;
}

const MESSAGE = "It reads the clock: take a Clock (core/clock) and write new Date(clock.now()).";

const noAmbientDate = {
  meta: { type: "problem" },
  create(context: Context) {
    const isDate = ({ callee }: Call) => callee.type === "Identifier" && callee.name === "Date";
    return {
      NewExpression(node: Call) {
        if (isDate(node) && node.arguments.length === 0) context.report({ node, message: MESSAGE });
      },
      CallExpression(node: Call) {
        if (isDate(node)) context.report({ node, message: MESSAGE });
      },
    };
  },
};

export default { meta: { name: "paircast" }, rules: { "no-ambient-date": noAmbientDate } };
