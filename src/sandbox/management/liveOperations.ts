/** How the service tells of operations on live events and live outputs that go on after its answer. */
import type { Call, Reply } from "./call.ts";
import type { LiveOperation } from "./liveMachine.ts";
import type { AccountIdentity } from "./resources.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

export function operationHeaders(
  { subscriptionId, resourceGroup, name }: AccountIdentity,
  { url, apiVersion }: Pick<Call, "url" | "apiVersion">,
  { id, event, output }: LiveOperation,
): Record<string, string> {
  const base = `${url.origin}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaservices/${name}`;
  const subject = output === null ? `liveevents/${event.name}` : `liveevents/${event.name}/liveoutputs/${output.name}`;
  const operations = output === null ? "liveeventoperations" : "liveoutputoperations";
  return {
    "azure-asyncoperation": `${base}/${operations}/${id}?api-version=${apiVersion}`,
    location: `${base}/${subject}/operationlocations/${id}?api-version=${apiVersion}`,
  };
}

export function operationStatus({ id, done, kind, event }: LiveOperation): Reply {
  const target = done && kind === "delete" ? NOBODY : event.eventId;
  return { status: 200, body: { name: id, status: done ? "Succeeded" : "InProgress", error: { code: "None", message: null, target } } };
}
