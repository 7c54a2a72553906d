/** Between the SDK's shapes of live events and live outputs and those of the port. */
import type { LiveEvent as SdkEvent, LiveOutput as SdkOutput } from "@azure/arm-mediaservices";
import { PaircastError } from "../../core/errors.ts";
import { durationMs, durationText, LIVE_DESCRIPTION, LIVE_STATES, type LiveEncoding, type LiveState } from "../../core/live.ts";
import type { LiveEvent, LiveEventSpec, LiveOutput, LiveOutputSpec } from "../../core/ports/liveAccount.ts";

const ENCODINGS = {
  passthrough: "PassthroughStandard",
  "passthrough-basic": "PassthroughBasic",
  standard: "Standard",
  premium1080p: "Premium1080p",
} as const satisfies Record<LiveEncoding, string>;
const PROTOCOLS = { rtmp: "RTMP", fmp4: "FragmentedMP4" } as const;
/** Without a list of addresses the service lets nobody in. */
const EVERYBODY = { ip: { allow: [{ name: "everybody", address: "0.0.0.0", subnetPrefixLength: 0 }] } };

export function toEvent(event: SdkEvent): LiveEvent {
  const { name, input, preview, encoding, resourceState, description } = event;
  if (name === undefined || input === undefined)
    throw new PaircastError("account_rejected", "the management API answered with a live event without name or input");
  return {
    name,
    state: stateFrom(resourceState),
    protocol: input.streamingProtocol === PROTOCOLS.rtmp ? "rtmp" : "fmp4",
    encoding: encodingFrom(encoding?.encodingType),
    keyFrameMs: input.keyFrameIntervalDuration === undefined ? null : durationMs(input.keyFrameIntervalDuration),
    ingest: (input.endpoints ?? []).flatMap(({ protocol = "", url }) => (url === undefined ? [] : [{ protocol, url }])),
    preview: (preview?.endpoints ?? []).flatMap(({ url }) => url ?? []),
    accessToken: input.accessToken ?? null,
    isOurs: description === LIVE_DESCRIPTION,
  };
}

/** A state of a later version changes: it is waited for. */
function stateFrom(text: string | undefined): LiveState {
  return LIVE_STATES.find((state) => state === text?.toLowerCase()) ?? "creating";
}

/** `None` is the older name of what is passed through. */
function encodingFrom(type: string | undefined): LiveEncoding {
  for (const [encoding, named] of Object.entries(ENCODINGS)) if (named === type) return encoding as LiveEncoding;
  return "passthrough";
}

export function eventFrom({ protocol, encoding, keyFrameMs, accessToken }: LiveEventSpec, location: string): SdkEvent {
  return {
    location,
    description: LIVE_DESCRIPTION,
    useStaticHostname: true,
    input: {
      streamingProtocol: PROTOCOLS[protocol],
      accessToken,
      accessControl: EVERYBODY,
      ...(keyFrameMs === null ? {} : { keyFrameIntervalDuration: durationText(keyFrameMs) }),
    },
    preview: { accessControl: EVERYBODY },
    encoding: { encodingType: ENCODINGS[encoding] },
  };
}

export function toOutput(output: SdkOutput): LiveOutput {
  const { name = "", assetName = "", manifestName = null, archiveWindowLength } = output;
  return { name, assetName, manifestName, archiveMs: archiveWindowLength === undefined ? null : durationMs(archiveWindowLength) };
}

export function outputFrom({ assetName, manifestName, archiveMs }: LiveOutputSpec): SdkOutput {
  return { assetName, manifestName, archiveWindowLength: durationText(archiveMs) };
}
