import { Hono } from "hono";
import { createHash } from "node:crypto";
import type { Service } from "../core/contracts.ts";

export const app = new Hono();

export const tag = (text: string) => createHash("sha256").update(text).digest("hex");

export function status(service: Service): number {
  switch (service) {
    case "streaming":
      return 302;
    case "keys":
      return 307;
  }
}

export async function each(regions: readonly string[], ask: (region: string) => Promise<void>): Promise<void> {
  await Promise.all(regions.map(ask));
}

export function port(text: string): number {
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "number" ? parsed : 0;
}
