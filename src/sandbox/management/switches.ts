/**
 * What no recording, specification or document of the service settles. Each switch has a documented default; a test that depends on
 * one sets it. Nothing here is known of the real service except where a comment says so.
 */
export interface EmulatorSwitches {
  /**
   * PUT of a streaming policy, streaming locator or job that exists. "Streaming Locators are not updatable" is documented, the answer is not.
   * `conflict` (default): 409 whether or not the content is the same. `accept-identical`: 200 with the stored entity for the same content, else 409.
   */
  readonly recreateImmutable: "conflict" | "accept-identical";
  /** A locator with the streamingLocatorId of another locator of the account. `conflict` (default): 409. `allow`: the newer one streams. */
  readonly duplicateLocatorId: "conflict" | "allow";
  /**
   * A content key id that exists in the region. The text ("Content key id … already exists, please choose another one.") is the service's,
   * its status is not known. `conflict` (default): 409. `allow`: accepted, the newer one is delivered.
   */
  readonly duplicateKeyId: "conflict" | "allow";
  /**
   * Whether deleting a locator frees its key ids. Default true: tools delete and recreate locators to change them. A report of 2020
   * saw ids stay taken after the whole account had been deleted, which false reproduces.
   */
  readonly deletedLocatorFreesKeyIds: boolean;
  /** DELETE of an asset with locators. `cascade` (default): its locators, filters and container go with it. `refuse`: 409. */
  readonly deleteAssetInUse: "cascade" | "refuse";
  /** DELETE of a content key policy or streaming policy that a locator uses. `refuse` (default): 409. `allow`: the locator is left without it. */
  readonly deletePolicyInUse: "refuse" | "allow";
  /** Entities in one page of a list. The service's varies by type and cannot be chosen by clients. */
  readonly pageSize: number;
  /** How long a long-running operation on a streaming endpoint or a track takes, milliseconds. */
  readonly operationMs: number;
  /** How long a job stays in each state, milliseconds. */
  readonly job: { readonly queuedMs: number; readonly scheduledMs: number; readonly processingMs: number };
}

export const DEFAULT_SWITCHES: EmulatorSwitches = {
  recreateImmutable: "conflict",
  duplicateLocatorId: "conflict",
  duplicateKeyId: "conflict",
  deletedLocatorFreesKeyIds: true,
  deleteAssetInUse: "cascade",
  deletePolicyInUse: "refuse",
  pageSize: 1000,
  operationMs: 2000,
  job: { queuedMs: 500, scheduledMs: 500, processingMs: 10_000 },
};
