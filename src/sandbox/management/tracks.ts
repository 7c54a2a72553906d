/**
 * Tracks of assets: those that the server manifest names, and audio and text tracks that were added. Recorded are only the refusals for an asset
 * without files; the rest follows the specification of 2022-08-01. The emulator keeps added tracks as entities: what the service does to the
 * asset's files meanwhile is not known, so here they stay as they are.
 */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, type Call, type Reply, type Route } from "./call.ts";
import { found, type Emulator } from "./emulator.ts";
import { badRequest, notFound } from "./errors.ts";
import { asText, objectField, optional, textField } from "./fields.ts";
import { LISTINGS, page } from "./odata.ts";
import type { AssetRecord, TrackOperation, TrackRecord } from "./records.ts";
import { entityBody } from "./resources.ts";

const AUDIO = "#Microsoft.Media.AudioTrack";
const TEXT = "#Microsoft.Media.TextTrack";
const NAMED_BY_MANIFEST = { video: "#Microsoft.Media.VideoTrack", audio: AUDIO } as const;
/** The service finds these out by itself. */
const READ_ONLY: Readonly<Record<string, readonly string[]>> = { [AUDIO]: ["bitRate"], [TEXT]: ["languageCode"] };

export function trackRoutes(emulator: Emulator): Route[] {
  const tracks = new Tracks(emulator);
  const one = "assets/:asset/tracks/:track";
  return [
    { method: "GET", path: "assets/:asset/tracks", handle: (call) => tracks.list(call) },
    { method: "GET", path: one, handle: (call) => tracks.get(call) },
    { method: "PUT", path: one, handle: (call) => tracks.put(call) },
    { method: "PATCH", path: one, handle: (call) => tracks.patch(call) },
    { method: "DELETE", path: one, handle: (call) => tracks.remove(call) },
    { method: "POST", path: `${one}/updatetrackdata`, handle: (call) => tracks.updateData(call) },
    { method: "GET", path: `${one}/operationstatuses/:operation`, handle: (call) => tracks.status(call) },
    { method: "GET", path: `${one}/operationresults/:operation`, handle: (call) => tracks.result(call) },
  ];
}

class Tracks {
  readonly #emulator: Emulator;
  readonly #operations = new Map<string, TrackOperation>();

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  async list(call: Call): Promise<Reply> {
    const asset = this.#asset(call);
    const bodies = (await this.#all(asset)).map((track) => this.#body(asset, track));
    return { status: 200, body: page(bodies, LISTINGS.plain, call.url, this.#emulator.switches.pageSize) };
  }

  async get(call: Call): Promise<Reply> {
    const asset = this.#asset(call);
    return { status: 200, body: this.#body(asset, await this.#named(asset, call)) };
  }

  async put(call: Call): Promise<Reply> {
    const asset = this.#asset(call);
    const existing = asset.tracks.get(call.param("track"));
    const sent = objectField(objectField(bodyOf(call), "properties"), "track");
    const track = await this.#written(asset, existing?.name ?? call.param("track"), sent);
    return this.#accepted(existing === undefined ? 201 : 200, call, asset, track);
  }

  async patch(call: Call): Promise<Reply> {
    const asset = this.#asset(call);
    await this.#needsFiles(asset);
    const existing = found(asset.tracks.get(call.param("track")));
    const sent = objectField(objectField(bodyOf(call), "properties"), "track");
    return this.#accepted(202, call, asset, await this.#written(asset, existing.name, { ...existing.track, ...sent }));
  }

  async remove(call: Call): Promise<Reply> {
    const asset = this.#asset(call);
    const track = asset.tracks.get(call.param("track"));
    if (track === undefined) return { status: 204 };
    asset.tracks.delete(track.name);
    return { status: 202, headers: this.#headers(call, asset, track.name, this.#begin()) };
  }

  async updateData(call: Call): Promise<Reply> {
    const asset = this.#asset(call);
    const { name } = found(asset.tracks.get(call.param("track")));
    return { status: 202, headers: this.#headers(call, asset, name, this.#begin()) };
  }

  async status(call: Call): Promise<Reply> {
    const { id } = this.#operation(call);
    return { status: 200, body: { name: id, status: this.#isDone(id) ? "Succeeded" : "InProgress" } };
  }

  async result(call: Call): Promise<Reply> {
    const { id } = this.#operation(call);
    const asset = this.#asset(call);
    if (!this.#isDone(id)) return { status: 202, headers: this.#headers(call, asset, call.param("track"), id) };
    const track = asset.tracks.get(call.param("track"));
    return track === undefined ? { status: 204 } : { status: 200, body: this.#body(asset, track) };
  }

  #asset(call: Call): AssetRecord {
    return found(this.#emulator.store.assets.get(call.param("asset")));
  }

  async #all(asset: AssetRecord): Promise<TrackRecord[]> {
    const named = (await this.#emulator.manifestTracks?.(asset.name)) ?? [];
    const own = named.map(({ name, kind }): TrackRecord => ({ name, track: { "@odata.type": NAMED_BY_MANIFEST[kind] }, operation: null }));
    return [...own.filter(({ name }) => asset.tracks.get(name) === undefined), ...asset.tracks.values()];
  }

  async #named(asset: AssetRecord, call: Call): Promise<TrackRecord> {
    const wanted = call.param("track").toLowerCase();
    return found((await this.#all(asset)).find(({ name }) => name.toLowerCase() === wanted));
  }

  /** For an asset without a server manifest the service answers so whatever is asked for. */
  async #needsFiles(asset: AssetRecord): Promise<void> {
    if ((await this.#emulator.manifestName(asset.name)) === null) throw badRequest("Target resource file does not exist.");
  }

  async #written(asset: AssetRecord, name: string, sent: JsonObject): Promise<TrackRecord> {
    await this.#needsFiles(asset);
    const type = asText(sent["@odata.type"]);
    const readOnly = READ_ONLY[type];
    if (readOnly === undefined) throw badRequest(`A track of the type '${type}' cannot be added.`);
    const fileName = textField(sent, "fileName") ?? "";
    const there = fileName !== "" && ((await this.#emulator.fileExists?.(asset.name, fileName)) ?? true);
    if (!there) throw badRequest("Target resource file does not exist.");
    const kept = Object.entries(sent).filter(([field, value]) => value !== null && !readOnly.includes(field));
    const visibility = type === TEXT ? optional("playerVisibility", textField(sent, "playerVisibility") ?? "Visible") : {};
    return { name, track: { ...Object.fromEntries(kept), ...visibility }, operation: this.#begin() };
  }

  #accepted(status: number, call: Call, asset: AssetRecord, track: TrackRecord): Reply {
    asset.tracks.set(track);
    const headers = track.operation === null ? {} : this.#headers(call, asset, track.name, track.operation);
    return { status, body: this.#body(asset, track), headers };
  }

  #body(asset: AssetRecord, { name, track, operation }: TrackRecord): JsonObject {
    const provisioningState = operation === null || this.#isDone(operation) ? "Succeeded" : "InProgress";
    return entityBody(this.#emulator.account, `/assets/${asset.name}/tracks/${name}`, { track, provisioningState }, null);
  }

  #begin(): string {
    const { clock, random, switches } = this.#emulator;
    const id = random.uuid();
    this.#operations.set(id, { id, dueAt: clock.monotonic() + switches.operationMs });
    return id;
  }

  #operation(call: Call): TrackOperation {
    const operation = this.#operations.get(call.param("operation").toLowerCase());
    if (operation === undefined) throw notFound();
    return operation;
  }

  #isDone(id: string): boolean {
    return (this.#operations.get(id)?.dueAt ?? 0) <= this.#emulator.clock.monotonic();
  }

  #headers({ url, apiVersion }: Call, asset: AssetRecord, track: string, operation: string): Record<string, string> {
    const { subscriptionId, resourceGroup, name } = this.#emulator.account;
    const account = `${url.origin}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${name}`;
    const base = `${account}/assets/${encodeURIComponent(asset.name)}/tracks/${encodeURIComponent(track)}`;
    return {
      "azure-asyncoperation": `${base}/operationStatuses/${operation}?api-version=${apiVersion}`,
      location: `${base}/operationResults/${operation}?api-version=${apiVersion}`,
    };
  }
}
