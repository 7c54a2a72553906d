import type { PaircastError } from "../core/errors.ts";

export const at = (now: number) => new Date(now).toISOString();
export const code = (error: PaircastError) => error.code;
export const origin = (url: string) => new URL(url).origin;
