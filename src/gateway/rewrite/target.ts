/** Path and query by which a manifest is the same for many viewers. Pure. */
import { pathOf, queryOf } from "../target.ts";

/** What players report of themselves (CTA-5004) says nothing of what they ask for, and would make every request one of its own. */
const REPORTED = /^CMCD=/;

export function manifestTarget(target: string): string {
  if (!target.includes("CMCD=")) return target;
  const fields = queryOf(target)
    .split("&")
    .filter((field) => !REPORTED.test(field));
  return fields.length === 0 ? pathOf(target) : `${pathOf(target)}?${fields.join("&")}`;
}
