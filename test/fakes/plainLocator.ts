/** A locator without anything that it may leave out. */
export const PLAIN_LOCATOR = {
  defaultContentKeyPolicyName: null,
  alternativeMediaId: null,
  startTime: null,
  endTime: null,
  filters: [],
  contentKeys: [],
};
