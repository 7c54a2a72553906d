/** Assets: a name for a blob container. */
import type { JsonObject } from "../contracts.ts";
import { storageAccountNames } from "./account.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { containerSas } from "./containerSas.ts";
import { found, stampOf, type Emulator } from "./emulator.ts";
import { ArmError, badRequest, conflict } from "./errors.ts";
import { objectField, optional, textField } from "./fields.ts";
import { locatorListItem } from "./locatorBody.ts";
import { NamedMap } from "./namedMap.ts";
import { LISTINGS, page } from "./odata.ts";
import type { AssetRecord } from "./records.ts";
import { entityBody } from "./resources.ts";
import { formatStored } from "./times.ts";

/** From this version on the reply to PUT names the container that the service chose. */
const REPLY_HAS_CONTAINER = "2022-08-01";
const CONTAINER = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

export function assetRoutes(emulator: Emulator): Route[] {
  const assets = new Assets(emulator);
  const asset = (call: Call) => found(emulator.store.assets.get(call.param("asset")));
  return [
    { method: "GET", path: "assets", handle: (call) => assets.list(call) },
    { method: "GET", path: "assets/:asset", handle: (call) => ({ status: 200, body: assets.body(asset(call)) }) },
    { method: "PUT", path: "assets/:asset", handle: async (call) => assets.put(call) },
    { method: "PATCH", path: "assets/:asset", handle: async (call) => assets.patch(call) },
    { method: "DELETE", path: "assets/:asset", handle: async (call) => assets.remove(call) },
    {
      method: "POST",
      path: "assets/:asset/listcontainersas",
      handle: (call) => ({ status: 200, body: containerSas(emulator, asset(call).container, bodyOf(call)) }),
    },
    {
      method: "POST",
      path: "assets/:asset/liststreaminglocators",
      handle: (call) => ({
        status: 200,
        body: { streamingLocators: emulator.store.locatorsOf(asset(call).name).map(locatorListItem) },
      }),
    },
    {
      method: "POST",
      path: "assets/:asset/getencryptionkey",
      handle: () => {
        const message = "Asset, asset files or encryption key does not exist or asset files are not storage encrypted.";
        throw new ArmError(400, "BadRequest", message, "arm");
      },
    },
  ];
}

class Assets {
  readonly #emulator: Emulator;
  /** Creation and deletion wait for the storage account; one at a time keeps names and containers unique meanwhile. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  body(asset: AssetRecord): JsonObject {
    const { name, stamp } = asset;
    const properties = {
      assetId: asset.assetId,
      created: formatStored(stamp.created),
      lastModified: formatStored(stamp.modified),
      ...optional("alternateId", asset.alternateId),
      ...optional("description", asset.description),
      container: asset.container,
      storageAccountName: asset.storageAccountName,
      storageEncryptionFormat: "None",
    };
    return entityBody(this.#emulator.account, `/assets/${name}`, properties, stamp);
  }

  list(call: Call): Reply {
    const { store, switches } = this.#emulator;
    const bodies = store.assets.values().map((asset) => this.body(asset));
    return { status: 200, body: page(bodies, LISTINGS.assets, call.url, switches.pageSize) };
  }

  async put(call: Call): Promise<Reply> {
    const properties = objectField(bodyOf(call), "properties");
    return this.#exclusive(async () => {
      const existing = this.#emulator.store.assets.get(call.param("asset"));
      if (existing !== undefined) return this.#update(existing, properties);
      return this.#create(call, properties);
    });
  }

  async patch(call: Call): Promise<Reply> {
    const properties = objectField(bodyOf(call), "properties");
    return this.#exclusive(async () => {
      const existing = found(this.#emulator.store.assets.get(call.param("asset")));
      const { alternateId, description } = existing;
      return this.#update(existing, { ...optional("alternateId", alternateId), ...optional("description", description), ...properties });
    });
  }

  async remove(call: Call): Promise<Reply> {
    return this.#exclusive(async () => {
      const { store, switches, containers } = this.#emulator;
      const asset = store.assets.get(call.param("asset"));
      if (asset === undefined) return deleted(false);
      const locators = store.locatorsOf(asset.name);
      if (locators.length > 0 && switches.deleteAssetInUse === "refuse")
        throw conflict(`The asset '${asset.name}' has streaming locators.`);
      await containers.delete(asset.container);
      for (const locator of locators) store.removeLocator(locator, switches.deletedLocatorFreesKeyIds);
      return deleted(store.assets.delete(asset.name));
    });
  }

  async #create(call: Call, properties: JsonObject): Promise<Reply> {
    const { store, random, containers } = this.#emulator;
    const assetId = random.uuid();
    const wanted = textField(properties, "container");
    const asset: AssetRecord = {
      name: call.param("asset"),
      assetId,
      container: wanted ?? `asset-${assetId}`,
      storageAccountName: this.#storageAccount(properties),
      alternateId: textField(properties, "alternateId"),
      description: textField(properties, "description"),
      stamp: stampOf(this.#emulator),
      filters: new NamedMap(),
      tracks: new NamedMap(),
    };
    this.#checkContainer(asset.container);
    await containers.create(asset.container);
    store.assets.set(asset);
    const body = this.body(asset);
    return { status: 201, body: wanted === null && call.apiVersion < REPLY_HAS_CONTAINER ? withoutContainer(body) : body };
  }

  #update(existing: AssetRecord, properties: JsonObject): Reply {
    const container = textField(properties, "container") ?? existing.container;
    if (container !== existing.container) throw badRequest(`The container of asset '${existing.name}' cannot be changed.`);
    const asset = {
      ...existing,
      alternateId: textField(properties, "alternateId"),
      description: textField(properties, "description"),
      stamp: stampOf(this.#emulator, existing),
    };
    this.#emulator.store.assets.set(asset);
    return { status: 200, body: this.body(asset) };
  }

  #checkContainer(name: string): void {
    if (!CONTAINER.test(name)) throw badRequest(`The container name '${name}' is not valid.`);
    if (!this.#emulator.store.assets.values().some(({ container }) => container === name)) return;
    const value = `https://${this.#emulator.storage.accountName}.blob.core.windows.net/${name}`;
    throw badRequest(
      `Cannot insert duplicate key row in object 'dbo.media' with unique index 'Index_BlobStorageUri'. The duplicate key value is (${value}).`,
    );
  }

  /** The first attached storage account unless one is named. Containers of all of them are kept in the region's one real account. */
  #storageAccount(properties: JsonObject): string {
    const attached = storageAccountNames(this.#emulator.store);
    const wanted = textField(properties, "storageAccountName") ?? attached[0] ?? this.#emulator.storage.accountName;
    if (!attached.includes(wanted)) throw badRequest(`The storage account '${wanted}' is not attached to the media account.`);
    return wanted;
  }

  async #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function withoutContainer(body: JsonObject): JsonObject {
  const { container: _, ...properties } = objectField(body, "properties");
  return { ...body, properties };
}
