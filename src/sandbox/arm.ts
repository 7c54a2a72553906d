/** A small client of a region's management API, with which the sandbox publishes as an operator's tool would. */
import { request } from "undici";
import { PaircastError } from "../core/errors.ts";
import type { Json, JsonObject } from "./contracts.ts";

export interface ArmAddress {
  /** Management endpoint of the region. */
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly accountName: string;
  readonly apiKey: string;
}

const API_VERSION = "2022-08-01";

export class ArmClient {
  readonly #address: ArmAddress;
  #token: string | null = null;

  constructor(address: ArmAddress) {
    this.#address = address;
  }

  /** Body of the answer; null for 404. Throws `publish_failed` for any other refusal. */
  async get(path: string): Promise<JsonObject | null> {
    return this.#send("GET", path, null);
  }

  async put(path: string, properties: Json): Promise<JsonObject> {
    return this.#needed("PUT", path, { properties });
  }

  async post(path: string, body: Json): Promise<JsonObject> {
    return this.#needed("POST", path, body);
  }

  async #needed(method: "PUT" | "POST", path: string, body: Json): Promise<JsonObject> {
    const answer = await this.#send(method, path, body);
    if (answer === null) throw new PaircastError("publish_failed", `${method} ${path} at ${this.#address.endpoint} answered 404`);
    return answer;
  }

  async #send(method: "GET" | "PUT" | "POST", path: string, body: Json): Promise<JsonObject | null> {
    const { endpoint, subscriptionId, resourceGroup, accountName } = this.#address;
    this.#token ??= await this.#authenticate();
    const url = `${endpoint}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${accountName}/${path}?api-version=${API_VERSION}`;
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    const answer = await request(url, { method, headers, body: method === "GET" ? null : JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode === 404) return null;
    if (answer.statusCode >= 300)
      throw new PaircastError("publish_failed", `${method} ${path} at ${endpoint} answered ${answer.statusCode}: ${text}`);
    // An operation that goes on is answered without a body.
    return text === "" ? {} : (JSON.parse(text) as JsonObject);
  }

  async #authenticate(): Promise<string> {
    const { endpoint, subscriptionId, apiKey } = this.#address;
    const answer = await request(`${endpoint}/auth/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ subscriptionId, apiKey }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new PaircastError("publish_failed", `no token from ${endpoint}: ${answer.statusCode}`);
    return text;
  }
}
