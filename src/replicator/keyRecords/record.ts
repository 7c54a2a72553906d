/** Records what a region publishes, once it is verified and published. */
import type { VerifiedVideo } from "../publish.ts";
import type { JobContext } from "../runJob.ts";
import type { Survey } from "../survey.ts";
import { filtersRecordId, locatorRecordId, policyRecordId, withoutAssigned, type RecordedContent } from "./content.ts";

/**
 * Does nothing where no record is kept. Only the job that looks at the original records it: those of the copies see the same. Throws what
 * the store or a key vault throws; the video is published by then, and a later run records it.
 */
export async function recordPublication(context: JobContext, survey: Survey, videos: readonly VerifiedVideo[]): Promise<void> {
  const { deps, identity, fence } = context;
  const { records = null } = deps;
  if (records === null || identity.source !== identity.target) return;
  const published = new Map(videos.map(({ facts }) => [facts.locatorId, facts.manifests]));
  for (const [id, content] of contentsOf(identity.source, survey, published)) await records.write(id, content, fence);
}

type Manifests = VerifiedVideo["facts"]["manifests"];

/** What a locator names comes before it: a locator's record is of use only with them. */
function contentsOf(source: string, survey: Survey, published: ReadonlyMap<string, Manifests>): readonly [string, RecordedContent][] {
  if (published.size === 0) return [];
  const {
    asset: { lastModified: _, ...asset },
    assetFilters,
    tracks,
  } = survey;
  const keyPolicies = [...survey.contentKeyPolicies.values()].map(({ name, properties }): [string, RecordedContent] => [
    policyRecordId("contentKeyPolicy", source, name),
    { kind: "contentKeyPolicy", policy: { name, properties: withoutAssigned(properties) } },
  ]);
  const streamingPolicies = [...survey.streamingPolicies.values()].map(({ name, properties }): [string, RecordedContent] => [
    policyRecordId("streamingPolicy", source, name),
    { kind: "streamingPolicy", policy: { name, properties: withoutAssigned(properties) } },
  ]);
  const locators = survey.locators.flatMap((locator): [string, RecordedContent][] => {
    const manifests = published.get(locator.streamingLocatorId.toLowerCase());
    if (manifests === undefined) return [];
    return [[locatorRecordId(locator.streamingLocatorId), { kind: "locator", source, asset, assetFilters, tracks, locator, manifests }]];
  });
  const filters: [string, RecordedContent] = [filtersRecordId(source), { kind: "accountFilters", filters: survey.accountFilters }];
  return [...keyPolicies, ...streamingPolicies, filters, ...locators];
}
