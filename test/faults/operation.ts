/** What a call is about, in few words: the kinds of calls whose boundaries are told apart. Pure. */

export const SERVICES = ["management", "storage", "streaming", "keys"] as const;
export type Service = (typeof SERVICES)[number];

export interface CallLine {
  readonly service: Service;
  readonly region: string;
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** `x-ms-copy-source` was among the headers. */
  readonly copies: boolean;
}

/** `management west GET streamingLocators/*`, `storage north PUT blob block from URL`. No name of an entity, no id, no signature. */
export function operationOf(call: CallLine): string {
  return [call.service, call.region, call.method, subjectOf(call)].filter((word) => word !== "").join(" ");
}

/** True for what may change something at the service. Actions of the management API that only read are POST too. */
export function isWrite({ service, method }: Pick<CallLine, "service" | "method">): boolean {
  if (service === "storage") return method === "PUT" || method === "DELETE";
  if (service === "management") return method === "PUT" || method === "DELETE" || method === "PATCH";
  return false;
}

function subjectOf(call: CallLine): string {
  switch (call.service) {
    case "management":
      return managementSubject(call.target);
    case "storage":
      return storageSubject(call);
    case "streaming":
      return /\.ism\/manifest\([^/]*\)$/i.test(pathOf(call.target)) ? "manifest" : "part";
    case "keys":
      return "key";
  }
}

function managementSubject(target: string): string {
  const below = /\/mediaservices\/[^/]+\/(.+)$/i.exec(pathOf(target))?.[1];
  if (below === undefined) return pathOf(target).replace(/^\//, "");
  return below
    .split("/")
    .map((part, at) => (at % 2 === 1 && !ACTIONS.has(part.toLowerCase()) ? "*" : part))
    .join("/");
}

/** They stand where a name would. */
const ACTIONS = new Set(["listcontainersas", "liststreaminglocators", "listcontentkeys", "listpaths", "getpolicypropertieswithsecrets"]);

function storageSubject({ target, copies }: CallLine): string {
  const query = new URLSearchParams(target.slice(pathOf(target).length));
  const isBlob = pathOf(target).split("/").length > 3;
  const component = query.get("comp");
  return [isBlob ? "blob" : "container", component ?? "", copies ? "from URL" : ""].filter((word) => word !== "").join(" ");
}

function pathOf(target: string): string {
  const cut = target.indexOf("?");
  return cut < 0 ? target : target.slice(0, cut);
}

/** Container and blob, decoded, of a call to a storage service; null where it is about neither. */
export function blobOf(target: string): { readonly container: string; readonly blob: string } | null {
  const [, , container = "", ...blob] = pathOf(target).split("/");
  return container === "" ? null : { container: decodeURIComponent(container), blob: decodeURIComponent(blob.join("/")) };
}
