/** PUT of an entity that exists and cannot be updated. */
import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../contracts.ts";
import type { Reply } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import { conflict } from "./errors.ts";

/** The answer by `switches.recreateImmutable`; `what` names the entity in the error. */
export function recreated({ switches }: Emulator, what: string, stored: unknown, sent: unknown, body: JsonObject): Reply {
  if (switches.recreateImmutable === "accept-identical" && isDeepStrictEqual(stored, sent)) return { status: 200, body };
  throw conflict(`The ${what} already exists and cannot be updated.`);
}
