/** A request to the management API as the entities' handlers see it, and their answers. */
import type { Json, JsonObject } from "../contracts.ts";
import { ArmError } from "./errors.ts";
import { isObject } from "./fields.ts";

export interface Call {
  readonly url: URL;
  /** As sent; compared as text, versions are dates. */
  readonly apiVersion: string;
  readonly body: Json;
  /** The segment of the path that the route's pattern calls `name`. */
  param(name: string): string;
}

export interface Reply {
  readonly status: number;
  /** Nothing is sent where it is absent. */
  readonly body?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  /** Below the media account, lower case, `:name` for a variable segment. */
  readonly path: string;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

/** Body of a request that needs one. 400 where it is not a JSON object. */
export function bodyOf(call: Call): JsonObject {
  if (isObject(call.body)) return call.body;
  throw new ArmError(
    400,
    "InvalidRequestContent",
    "The request content was invalid and could not be deserialized: an object is expected.",
    "arm",
  );
}

/** DELETE answers 200 for what was there and 204 for what was not. */
export function deleted(existed: boolean): Reply {
  return { status: existed ? 200 : 204 };
}
