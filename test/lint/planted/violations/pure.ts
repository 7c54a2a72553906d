import { readFileSync } from "node:fs"; //! eslint(no-restricted-imports) A pure file imports only
import { z } from "zod"; //! eslint(no-restricted-imports) A pure file imports only
import { createLog } from "../core/log.ts"; //! eslint(no-restricted-imports) A pure file imports only
import type { Clock } from "../core/clock.ts"; //! eslint(no-restricted-imports) A pure file imports only
import { anything } from "./impure.ts"; //! eslint(no-restricted-imports) A pure file imports only

export { readFileSync, z, createLog, anything, type Clock };
export const started = Date.now(); //! eslint(no-restricted-properties) Take a Clock
export const today = new Date(); //! paircast(no-ambient-date) It reads the clock
export const chance = Math.random(); //! eslint(no-restricted-properties) Take a Random
export const limit = AbortSignal.timeout(1000); //! eslint(no-restricted-properties) Take a Clock and its deadline
export const timer = setTimeout(() => undefined, 1); //! eslint(no-restricted-globals) A pure file takes
export const elapsed = performance.now(); //! eslint(no-restricted-globals) A pure file takes
export const answer = fetch("http://127.0.0.1/"); //! eslint(no-restricted-globals) A pure file takes
export const hidden = globalThis.fetch("http://127.0.0.1/"); //! eslint(no-restricted-globals) A pure file takes
export const directory = process.cwd(); //! eslint(no-restricted-globals) A pure file takes
export const id = crypto.randomUUID(); //! eslint(no-restricted-globals) A pure file takes //! eslint(no-restricted-properties) Take a Random
console.log("decided"); //! eslint(no-restricted-globals) A pure file takes //! eslint(no-console)
