/** The streaming paths of a locator: one entry per enabled protocol and encryption scheme, as `listPaths` answers. */
import type { StreamingLocator, StreamingPath, StreamingPolicy, Tree } from "../../src/core/media.ts";
import { child } from "./trees.ts";

const SCHEMES = {
  noEncryption: "NoEncryption",
  envelopeEncryption: "EnvelopeEncryption",
  commonEncryptionCenc: "CommonEncryptionCenc",
  commonEncryptionCbcs: "CommonEncryptionCbcs",
} as const;

const PROTOCOLS = {
  hls: { protocol: "Hls", format: "m3u8-cmaf" },
  dash: { protocol: "Dash", format: "mpd-time-cmaf" },
  smoothStreaming: { protocol: "SmoothStreaming", format: null },
} as const;

const ENCRYPTION: Readonly<Record<string, string>> = {
  EnvelopeEncryption: "cbc",
  CommonEncryptionCenc: "cenc",
  CommonEncryptionCbcs: "cbcs-aapl",
};

/** Paths with their leading slash; none while the container has no server manifest (`.ism`). */
export function streamingPaths(locator: StreamingLocator, policy: StreamingPolicy, blobs: readonly string[]): readonly StreamingPath[] {
  const manifest = blobs.find((name) => name.endsWith(".ism"));
  return Object.entries(SCHEMES).flatMap(([section, scheme]) =>
    Object.entries(PROTOCOLS)
      .filter(([name]) => enabled(policy.properties[section], name))
      .map(([, { protocol, format }]) => ({
        streamingProtocol: protocol,
        encryptionScheme: scheme,
        paths: manifest === undefined ? [] : [`/${locator.streamingLocatorId}/${manifest}/manifest${parameters(format, scheme)}`],
      })),
  );
}

function parameters(format: string | null, scheme: string): string {
  const parts = [format === null ? null : `format=${format}`, ENCRYPTION[scheme] === undefined ? null : `encryption=${ENCRYPTION[scheme]}`];
  const given = parts.filter((part) => part !== null);
  return given.length === 0 ? "" : `(${given.join(",")})`;
}

function enabled(section: Tree | undefined, protocol: string): boolean {
  return child(child(section, "enabledProtocols"), protocol) === true;
}
