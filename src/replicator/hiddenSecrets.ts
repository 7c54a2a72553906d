/** Content key policies of services that do not give their secrets out: compared by everything else. Pure. */
import type { Tree, TreeObject } from "../core/media.ts";
import { isObject } from "./normalise.ts";

const SECRETS: ReadonlySet<string> = new Set(["ask", "fairPlayPfx", "fairPlayPfxPassword", "keyValue", "rawBody", "exponent", "modulus"]);

/**
 * The target's tree with the source's secrets in the places where it has none: what cannot be seen is taken to be what was written. A secret
 * that was changed in the source alone goes unnoticed so; one of an option that was changed, too, is written with it.
 */
export function withSecretsOf(target: TreeObject, source: TreeObject): TreeObject {
  const secrets = Object.entries(source).filter(([name]) => SECRETS.has(name) && target[name] === undefined);
  const own = Object.entries(target).map(([name, value]) => [name, filled(value, source[name])] as const);
  return Object.fromEntries([...own, ...secrets]);
}

function filled(value: Tree | undefined, source: Tree | undefined): Tree | undefined {
  if (isObject(value) && isObject(source)) return withSecretsOf(value, source);
  if (!isList(value) || !isList(source)) return value;
  return value.map((item, at) => filled(item, source[at]) ?? null);
}

function isList(tree: Tree | undefined): tree is readonly Tree[] {
  return Array.isArray(tree);
}
