/** Leads the custom key and licence URLs of a streaming policy to the gateway, as configured. Pure. */
import type { StreamingPolicy, Tree, TreeObject } from "../core/media.ts";
import { isObject } from "./normalise.ts";

/** What templates begin with in the source, and what they begin with in the targets. Both are URLs without query, and without a slash at the end. */
export interface KeyUrlRule {
  readonly from: string;
  readonly to: string;
}

/** Where templates stand in the media management API's streaming policies. */
export const URL_TEMPLATES: ReadonlySet<string> = new Set([
  "customKeyAcquisitionUrlTemplate",
  "customLicenseAcquisitionUrlTemplate",
  "customKeysAcquisitionUrlTemplate",
]);

/** The policy as the targets are to have it: the first rule that fits a template is used, what fits none stays. */
export function rewriteKeyUrls(policy: StreamingPolicy, rules: readonly KeyUrlRule[]): StreamingPolicy {
  return rules.length === 0 ? policy : { ...policy, properties: rewritten(policy.properties, rules) };
}

function rewritten(tree: TreeObject, rules: readonly KeyUrlRule[]): TreeObject {
  const change = (name: string, value: Tree | undefined): Tree | undefined => {
    if (isObject(value)) return rewritten(value, rules);
    return URL_TEMPLATES.has(name) && typeof value === "string" ? rewriteTemplate(value, rules) : value;
  };
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, change(name, value)]));
}

/** Scheme and host are compared without regard to case; a rule fits at a whole part of the path only. */
export function rewriteTemplate(template: string, rules: readonly KeyUrlRule[]): string {
  const plain = lowerHost(template);
  for (const { from, to } of rules) {
    const prefix = lowerHost(from);
    const rest = plain.slice(prefix.length);
    if (plain.startsWith(prefix) && (rest === "" || /^[/?#]/.test(rest))) return `${to}${rest}`;
  }
  return template;
}

function lowerHost(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, (origin) => origin.toLowerCase());
}

/** The properties without their URL templates: what is left decides which keys a player needs. */
export function withoutKeyUrls(properties: TreeObject): TreeObject {
  const kept = Object.entries(properties).filter(([name]) => !URL_TEMPLATES.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, isObject(value) ? withoutKeyUrls(value) : value]));
}
