/** Verifies what a region makes of the locators of one asset: the same paths, the same video, the same keys. */
import type { Region } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import type { StreamingLocator, StreamingPath } from "../core/media.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { VideoFacts } from "./entry.ts";
import { keyAccess } from "./keyAccess.ts";
import { contentKeyPolicyNames, keyPath, policyOfKey } from "./references.ts";
import { findKey, findManifests, type ExpectedKey, type Manifests, type ServingChecks } from "./serving.ts";
import type { Survey } from "./survey.ts";
import { judge, type Finding, type VerificationReport } from "./verdict.ts";

/** The first HLS path and the first DASH path. */
export function manifestPaths(paths: readonly StreamingPath[]): Manifests {
  const first = (protocol: StreamingPath["streamingProtocol"]): string | null =>
    paths.find((path) => path.streamingProtocol === protocol && path.paths.length > 0)?.paths[0] ?? null;
  return { hls: first("Hls"), dash: first("Dash") };
}

export interface VerifyOptions {
  readonly checks: ServingChecks;
  readonly region: Region;
  /** Paths as the source has them: a player's URL must lead to the video in either region. */
  readonly expected: Manifests;
  /** As the region's account says. */
  readonly here: Manifests;
  readonly survey: Survey;
  readonly keyPrefix: string;
}

/** Asks the region for the locator's manifests, a segment of each and every content key that its policy gives out. */
export async function verifyServing(options: VerifyOptions, locator: StreamingLocator): Promise<VerificationReport> {
  const { checks, region, expected, here } = options;
  const findings: Finding[] = [comparePaths(expected, here)];
  const keys = expectedKeys(options, locator);
  const contentKey = onlyClearKey(locator);
  findings.push(...(await findManifests(checks, region, expected, () => Promise.resolve(contentKey))));
  for (const key of keys) findings.push(await findKey(checks, region, key));
  return judge(findings);
}

function comparePaths(expected: Manifests, here: Manifests): Finding {
  const subject = "streaming paths";
  if (expected.hls === here.hls && expected.dash === here.dash) return { subject, result: "proven", detail: "the same", reason: null };
  const text = ({ hls, dash }: Manifests): string => `${hls ?? "no HLS"} and ${dash ?? "no DASH"}`;
  return { subject, result: "failed", detail: `the source has ${text(expected)}, here are ${text(here)}`, reason: "not_found" };
}

/** With one envelope key, segments can be decrypted; with several, which is whose the manifest does not say. */
function onlyClearKey(locator: StreamingLocator): Uint8Array | null {
  const keys = locator.contentKeys.filter(({ type }) => type === "EnvelopeEncryption" || type === null);
  const [key] = keys;
  return keys.length === 1 && key !== undefined ? Buffer.from(key.value, "base64") : null;
}

function expectedKeys({ survey, keyPrefix }: VerifyOptions, locator: StreamingLocator): readonly ExpectedKey[] {
  const streamingPolicy = survey.streamingPolicies.get(locator.streamingPolicyName) ?? null;
  return locator.contentKeys.map((key) => {
    const policyName = policyOfKey(locator, key.id, streamingPolicy);
    const policy = policyName === null ? undefined : survey.contentKeyPolicies.get(policyName);
    return {
      id: key.id,
      path: keyPath(streamingPolicy, { id: key.id, alternativeMediaId: locator.alternativeMediaId }, keyPrefix),
      value: Buffer.from(key.value, "base64"),
      access: policy === undefined ? { kind: "none", why: "no content key policy delivers it" } : keyAccess(policy.properties, key.id),
    };
  });
}

/** What the catalogue says of a locator: of its keys, ids and fingerprints. */
export function videoFacts(
  locator: StreamingLocator,
  survey: Survey,
  source: string,
  manifests: Manifests,
  fingerprint: Fingerprint,
): VideoFacts {
  const streamingPolicy = survey.streamingPolicies.get(locator.streamingPolicyName) ?? null;
  return {
    locatorId: locator.streamingLocatorId.toLowerCase(),
    locatorName: locator.name,
    assetName: locator.assetName,
    source,
    streamingPolicyName: locator.streamingPolicyName,
    contentKeyPolicyName: contentKeyPolicyNames(locator, streamingPolicy)[0] ?? null,
    manifests,
    keys: locator.contentKeys.map((key) => ({ id: key.id.toLowerCase(), fingerprint: fingerprint(Buffer.from(key.value, "base64")) })),
  };
}

/** A copy that was looked at and does not hold. */
export class VerificationFailure extends PaircastError {
  constructor(place: string, video: string, report: VerificationReport) {
    super("verification_failed", `verify ${video} in ${place}: ${report.detail}`, { retry: report.wrong ? "never" : "retry" });
  }
}
