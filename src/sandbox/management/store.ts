/** One media account's entities, in memory, and the view that the region's streaming endpoint and key delivery have of them. */
import type { AccountView, EmulatedKey, EmulatedLocator, JsonObject } from "../contracts.ts";
import { policyProperties } from "./contentKeyPolicyBody.ts";
import type { EndpointMachine } from "./endpointMachine.ts";
import type { LiveMachine } from "./liveMachine.ts";
import { NamedMap } from "./namedMap.ts";
import { predefinedPolicies } from "./predefinedPolicies.ts";
import type {
  AccountRecord,
  AssetRecord,
  ContentKeyPolicyRecord,
  FilterRecord,
  LocatorRecord,
  StreamingPolicyRecord,
  TransformRecord,
} from "./records.ts";

export interface StoreOptions {
  readonly endpoints: EndpointMachine;
  readonly live: LiveMachine;
  /** Key ids taken in the region; share one set between the accounts of a region. */
  readonly keyIds?: Set<string>;
}

export class MediaAccountStore implements AccountView {
  /** Null while the account does not exist. */
  account: AccountRecord | null = null;
  readonly assets = new NamedMap<AssetRecord>();
  readonly accountFilters = new NamedMap<FilterRecord>();
  readonly contentKeyPolicies = new NamedMap<ContentKeyPolicyRecord>();
  readonly streamingPolicies = new NamedMap<StreamingPolicyRecord>();
  readonly transforms = new NamedMap<TransformRecord>();
  readonly endpoints: EndpointMachine;
  readonly live: LiveMachine;
  readonly keyIds: Set<string>;
  readonly #locators = new NamedMap<LocatorRecord>();
  readonly #locatorsById = new Map<string, LocatorRecord>();
  readonly #locatorsByKey = new Map<string, LocatorRecord>();
  #sorted: readonly LocatorRecord[] | null = null;

  constructor(options: StoreOptions) {
    this.endpoints = options.endpoints;
    this.live = options.live;
    this.keyIds = options.keyIds ?? new Set();
    this.clear();
  }

  /** Leaves no account. */
  clear(): void {
    this.account = null;
    for (const locator of this.locators()) this.removeLocator(locator, true);
    for (const entities of [this.assets, this.accountFilters, this.contentKeyPolicies, this.streamingPolicies, this.transforms])
      entities.clear();
    this.endpoints.clear();
    this.live.clear();
    for (const policy of predefinedPolicies) this.streamingPolicies.set(policy);
  }

  locators(): LocatorRecord[] {
    return this.#locators.values();
  }

  /** The same array until one is added or removed. */
  locatorsByName(): readonly LocatorRecord[] {
    this.#sorted ??= this.locators()
      .map((locator) => ({ locator, name: locator.name.toLowerCase() }))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map(({ locator }) => locator);
    return this.#sorted;
  }

  locatorNamed(name: string): LocatorRecord | undefined {
    return this.#locators.get(name);
  }

  locatorsOf(assetName: string): LocatorRecord[] {
    return this.locators().filter((locator) => same(locator.assetName, assetName));
  }

  addLocator(locator: LocatorRecord): void {
    this.#sorted = null;
    this.#locators.set(locator);
    this.#locatorsById.set(locator.streamingLocatorId, locator);
    for (const { id } of locator.contentKeys) {
      this.#locatorsByKey.set(id, locator);
      this.keyIds.add(id);
    }
  }

  /** `freeKeys`: whether its key ids may be used again. */
  removeLocator(locator: LocatorRecord, freeKeys: boolean): void {
    this.#sorted = null;
    this.#locators.delete(locator.name);
    forget(this.#locatorsById, locator.streamingLocatorId, locator);
    for (const { id } of locator.contentKeys) {
      forget(this.#locatorsByKey, id, locator);
      if (freeKeys) this.keyIds.delete(id);
    }
  }

  locator(streamingLocatorId: string): EmulatedLocator | null {
    const found = this.#locatorsById.get(streamingLocatorId.toLowerCase());
    return found === undefined ? null : emulated(found);
  }

  key(keyId: string): { readonly locator: EmulatedLocator; readonly key: EmulatedKey } | null {
    const found = this.#locatorsByKey.get(keyId.toLowerCase());
    if (found === undefined) return null;
    const locator = emulated(found);
    const key = locator.contentKeys.find(({ id }) => id === keyId.toLowerCase());
    return key === undefined ? null : { locator, key };
  }

  container(assetName: string): string | null {
    return this.assets.get(assetName)?.container ?? null;
  }

  contentKeyPolicy(name: string): JsonObject | null {
    const policy = this.contentKeyPolicies.get(name);
    return policy === undefined ? null : policyProperties(policy, "with secrets");
  }

  streamingPolicy(name: string): JsonObject | null {
    return this.streamingPolicies.get(name)?.properties ?? null;
  }

  streamingRunning(): boolean {
    return this.endpoints.anyRunning();
  }

  offAir(assetName: string): boolean {
    return this.live.offAir(assetName);
  }
}

export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A newer locator may have taken the place (`duplicateLocatorId: allow`): then it stays. */
function forget(index: Map<string, LocatorRecord>, id: string, locator: LocatorRecord): void {
  if (index.get(id) === locator) index.delete(id);
}

function emulated(locator: LocatorRecord): EmulatedLocator {
  return {
    name: locator.name,
    assetName: locator.assetName,
    streamingLocatorId: locator.streamingLocatorId,
    streamingPolicyName: locator.streamingPolicyName,
    alternativeMediaId: locator.alternativeMediaId,
    startTime: locator.startTime?.ms ?? null,
    endTime: locator.endTime?.ms ?? null,
    filters: locator.filters,
    contentKeys: locator.contentKeys.map(({ id, type, label, value, policyName }) => ({ id, type, label, value, policyName })),
  };
}
