/** Live events and live outputs in requests and answers. Nothing takes their ingest: the addresses are shaped like the service's and lead nowhere. */
import type { Json, JsonObject } from "../contracts.ts";
import { badRequest } from "./errors.ts";
import { guidField, objectField, textField } from "./fields.ts";
import type { LiveEventRecord, LiveOutputRecord } from "./liveMachine.ts";
import { resourceId, systemData, type AccountIdentity } from "./resources.ts";
import { formatTicks, type Instant } from "./times.ts";

const PROTOCOLS = ["FragmentedMP4", "RTMP"];
const ENCODINGS = ["None", "Standard", "Premium1080p", "PassthroughBasic", "PassthroughStandard"];
/** Of the specification; longer ones are refused. */
const EVENT_NAME = /^(?=.{1,32}$)[a-zA-Z0-9]+(-*[a-zA-Z0-9])*$/;
const OUTPUT_NAME = /^(?=.{1,256}$)[a-zA-Z0-9]+(-*[a-zA-Z0-9])*$/;
const DURATION = /^P(?=.)(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$/;

export function checkEventName(name: string): void {
  if (!EVENT_NAME.test(name)) throw badRequest(`The live event name '${name}' is not valid.`);
}

export function checkOutputName(name: string): void {
  if (!OUTPUT_NAME.test(name)) throw badRequest(`The live output name '${name}' is not valid.`);
}

/** 400 for what cannot be a live event. */
export function checkEventSettings(settings: JsonObject): void {
  const input = objectField(settings, "input");
  const protocol = textField(input, "streamingProtocol");
  if (protocol === null || !PROTOCOLS.includes(protocol)) throw badRequest("The value of 'input.streamingProtocol' is not valid.");
  guidField(input, "accessToken");
  const encoding = textField(objectField(settings, "encoding"), "encodingType") ?? "None";
  if (!ENCODINGS.includes(encoding)) throw badRequest("The value of 'encoding.encodingType' is not valid.");
  checkDuration(textField(input, "keyFrameIntervalDuration"), "keyFrameIntervalDuration");
}

export function checkDuration(text: string | null, field: string): void {
  if (text !== null && !DURATION.test(text)) throw badRequest(`The value '${text}' of '${field}' is not a duration.`);
}

/** What was sent, with what the service assigns. */
export function eventBody(account: AccountIdentity, event: LiveEventRecord): JsonObject {
  const { name, location, tags, settings, state, pending, stamp, modified } = event;
  const encoding = objectField(settings, "encoding");
  return {
    name,
    id: resourceId(account, `/liveevents/${name}`),
    type: "Microsoft.Media/mediaservices/liveevents",
    location,
    tags,
    properties: {
      description: settings["description"] ?? null,
      ...stateFields(state, pending !== null, stamp.created, modified),
      useStaticHostname: settings["useStaticHostname"] === true,
      streamOptions: settings["streamOptions"] ?? [],
      input: inputBody(account, event),
      preview: previewBody(account, event),
      encoding: { encodingType: encoding["encodingType"] ?? "None", presetName: encoding["presetName"] ?? null },
      crossSiteAccessPolicies: settings["crossSiteAccessPolicies"] ?? { clientAccessPolicy: null, crossDomainPolicy: null },
    },
    systemData: systemData({ ...stamp, modified }),
  };
}

/** Ingest and preview have addresses while the event runs, and always where its host name is static. */
function hasAddresses({ settings, state }: LiveEventRecord): boolean {
  return settings["useStaticHostname"] === true || state === "Running";
}

function inputBody(account: AccountIdentity, event: LiveEventRecord): JsonObject {
  const input = objectField(event.settings, "input");
  const streamingProtocol = input["streamingProtocol"] ?? null;
  return {
    keyFrameIntervalDuration: input["keyFrameIntervalDuration"] ?? null,
    streamingProtocol,
    accessToken: event.accessToken,
    accessControl: input["accessControl"] ?? null,
    endpoints: hasAddresses(event) ? ingest(account, event, streamingProtocol) : [],
  };
}

function previewBody(account: AccountIdentity, event: LiveEventRecord): JsonObject {
  const preview = objectField(event.settings, "preview");
  return {
    previewLocator: event.previewLocator,
    streamingPolicyName: preview["streamingPolicyName"] ?? null,
    accessControl: preview["accessControl"] ?? null,
    endpoints: hasAddresses(event) ? [previewEndpoint(account, event)] : [],
  };
}

export function outputBody(account: AccountIdentity, event: LiveEventRecord, output: LiveOutputRecord): JsonObject {
  const { name, settings, manifestName, assetName, state, pending, stamp, modified } = output;
  return {
    name,
    id: resourceId(account, `/liveevents/${event.name}/liveoutputs/${name}`),
    type: "Microsoft.Media/mediaservices/liveevents/liveoutputs",
    properties: {
      description: settings["description"] ?? null,
      assetName,
      archiveWindowLength: settings["archiveWindowLength"] ?? null,
      rewindWindowLength: settings["rewindWindowLength"] ?? null,
      manifestName,
      outputSnapTime: settings["outputSnapTime"] ?? 0,
      hls: settings["hls"] ?? null,
      ...stateFields(state, pending !== null, stamp.created, modified),
    },
    systemData: systemData({ ...stamp, modified }),
  };
}

function stateFields(resourceState: string, pending: boolean, created: Instant, modified: Instant): JsonObject {
  return {
    resourceState,
    provisioningState: pending ? "InProgress" : "Succeeded",
    created: formatTicks(created),
    lastModified: formatTicks(modified),
  };
}

/** `.invalid` is never resolved (RFC 6761, 6.4). */
function host(account: AccountIdentity, { name }: LiveEventRecord): string {
  return `${name}-${account.name}.channel.invalid`.toLowerCase();
}

function ingest(account: AccountIdentity, event: LiveEventRecord, protocol: Json): JsonObject[] {
  const at = host(account, event);
  if (protocol === "RTMP")
    return [
      { protocol: "RTMP", url: `rtmp://${at}:1935/live/${event.accessToken}` },
      { protocol: "RTMP", url: `rtmps://${at}:2935/live/${event.accessToken}` },
    ];
  return [{ protocol: "FragmentedMP4", url: `https://${at}/${event.accessToken}/ingest.isml` }];
}

function previewEndpoint(account: AccountIdentity, event: LiveEventRecord): JsonObject {
  return { protocol: "FragmentedMP4", url: `https://preview.${host(account, event)}/${event.previewLocator}/preview.ism/manifest` };
}
