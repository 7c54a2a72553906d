/** Steps into the plain trees of policies. */
import type { Tree, TreeObject } from "../../src/core/media.ts";

export function isTreeObject(value: Tree | undefined): value is TreeObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Uint8Array);
}

/** The field `name` of a tree that has fields; undefined for every other. */
export function child(tree: Tree | undefined, name: string): Tree | undefined {
  return isTreeObject(tree) ? tree[name] : undefined;
}
