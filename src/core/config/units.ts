/** Scalars of the configuration file: durations, addresses, URLs, secrets. */
import { z } from "zod";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `5s`, `10m`, `1h`, `7d` -> milliseconds. */
export const duration = z
  .string("write a duration with its unit: 500ms, 5s, 10m, 1h")
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, "write a duration with its unit: 500ms, 5s, 10m, 1h")
  .transform((text) => {
    const unit = text.replace(/^[\d.]+/, "");
    return Number.parseFloat(text) * (UNIT_MS[unit] ?? Number.NaN);
  });

/** A duration that is at least `minimum` milliseconds. */
export function durationFrom(minimum: number): z.ZodType<number, string> {
  return duration.refine((ms) => ms >= minimum, `must be at least ${minimum} ms`);
}

/** An http(s) URL to which paths are appended: no query, fragment or user; normalised, without a trailing slash. */
export const baseUrl = z
  .string()
  .refine(isBaseUrl, "write an absolute http:// or https:// URL without user, query or fragment")
  .transform((text) => {
    const url = new URL(text);
    return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  });

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.username === "" &&
    url.password === "" &&
    url.search === "" &&
    url.hash === ""
  );
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `:8080`, `0.0.0.0:8080`, `[::1]:9090`; port 0 takes a free one. */
export const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]*):\d{1,5}$/, "write host:port, for instance 127.0.0.1:9090 or :8080")
  .transform((text): ListenAddress => {
    const cut = text.lastIndexOf(":");
    return { host: text.slice(0, cut).replace(/^\[|\]$/g, ""), port: Number(text.slice(cut + 1)) };
  })
  .refine(({ port }) => port <= 65_535, "the port must be at most 65535");

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

export function isLoopbackUrl(url: string): boolean {
  return isLoopback(new URL(url).hostname.replaceAll(/^\[|\]$/g, ""));
}

/** Names that appear in URLs, labels and logs. */
export const regionName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "use lower-case letters, digits and hyphens, at most 40");

export const nonEmpty = z.string().min(1, "must not be empty");
