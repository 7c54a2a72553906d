/** MK.IO's limits, as its SDK and documentation have them: lengths, names, what a locator's keys have to say, requests per minute. */
import type { Clock } from "../../core/clock.ts";
import type { JsonObject } from "../contracts.ts";
import { ArmError, badRequest } from "./errors.ts";
import { objectField, objectsField, textField } from "./fields.ts";

const MAX_NAME = 260;
const MAX_TEXTS: Readonly<Record<string, number>> = { description: 4096, alternateId: 64, storageAccountName: 255 };

/** Throws what the service answers to a write that is beyond its limits. `entity` is the route's name for it: `streaminglocators`. */
export function checkWrite(entity: string, name: string, body: JsonObject): void {
  if (name.length > MAX_NAME) throw badRequest(`The name is longer than ${MAX_NAME} characters.`);
  if (entity === "contentkeypolicies" && /\s/.test(name)) throw badRequest("The name of a content key policy holds no space.");
  const properties = objectField(body, "properties");
  checkTexts(properties);
  if (entity === "assets" && textField(properties, "storageAccountName") === null)
    throw badRequest("A value for 'storageAccountName' is required.");
  if (entity === "streaminglocators") for (const key of objectsField(properties, "contentKeys")) checkKey(key);
}

function checkTexts(properties: JsonObject): void {
  for (const [field, most] of Object.entries(MAX_TEXTS))
    if ((textField(properties, field) ?? "").length > most) throw badRequest(`The value of '${field}' is longer than ${most} characters.`);
}

/** AMS finds both out by itself. */
function checkKey(key: JsonObject): void {
  for (const field of ["type", "policyName"])
    if (textField(key, field) === null) throw badRequest(`A content key needs a value for '${field}'.`);
}

export interface MkioRates {
  /** Per minute and project. */
  readonly reads: number;
  readonly writes: number;
}

export const MKIO_RATES: MkioRates = { reads: 2000, writes: 1000 };

const MINUTE_MS = 60_000;

export class RateLimited extends ArmError {
  readonly retryAfterS: number;

  constructor(retryAfterS: number) {
    super(429, "TooManyRequests", "Too many requests.");
    this.retryAfterS = retryAfterS;
  }
}

/** Counts by the minute. */
export class MkioMeter {
  readonly #rates: MkioRates;
  readonly #clock: Clock;
  readonly #counts = { reads: 0, writes: 0 };
  #since: number;

  constructor(rates: MkioRates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** Throws `RateLimited` for one request more than a minute may have. */
  count(kind: keyof MkioRates): void {
    const elapsed = this.#clock.monotonic() - this.#since;
    if (elapsed >= MINUTE_MS) {
      this.#since += elapsed - (elapsed % MINUTE_MS);
      Object.assign(this.#counts, { reads: 0, writes: 0 });
    }
    if (this.#counts[kind] >= this.#rates[kind]) throw new RateLimited(Math.ceil((MINUTE_MS - (elapsed % MINUTE_MS)) / 1000));
    this.#counts[kind] += 1;
  }
}
