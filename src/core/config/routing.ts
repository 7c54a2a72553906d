/** How regions are ordered for a viewer: the method, its options, and for which requests it holds. */
import { z } from "zod";
import { parseNetwork } from "../address.ts";
import { playback } from "./playback.ts";
import { durationFrom, nonEmpty, regionName } from "./units.ts";

/** An IP network, or one address. */
const network = z
  .string()
  .refine(
    (text) => parseNetwork(text) !== null,
    "write a network such as 10.0.0.0/8 or 2001:db8::/32, without bits behind its prefix, or an address",
  );

const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/, "write a country as two letters (ISO 3166-1), for instance DE")
  .transform((text) => text.toUpperCase());

const onTop = {
  /** What keeps a viewer where he is: the session id of CMCD (CTA-5004), or a query parameter by name. */
  sticky: z.strictObject({ by: z.string().regex(/^(cmcd-sid|query:[A-Za-z0-9._~-]{1,64})$/, "write cmcd-sid, or query:NAME") }).optional(),
  /** The share of viewers that tries a region out; nobody else is sent there while another region is eligible. */
  canary: z.strictObject({ region: regionName, percent: z.number().gt(0, "0 % is nobody: remove the canary").max(100) }).optional(),
};

/** The default: regions in the order of the file. */
const priority = z
  .strictObject({ method: z.literal("priority").optional(), ...onTop })
  .transform((policy) => ({ ...policy, method: "priority" as const }));

const weighted = z.strictObject({
  method: z.literal("weighted"),
  /** Region name -> share of the viewers, relative to the others; 0: only when no other is eligible. */
  weights: z.record(z.string(), z.number().min(0).max(1_000_000)),
  ...onTop,
});

/** Countries or networks of viewers, and the regions for them, first choice first. */
const geographicRule = z.strictObject({
  countries: z.array(country).min(1).optional(),
  subnets: z.array(network).min(1).optional(),
  regions: z.array(regionName).min(1),
});

const geographic = z.strictObject({
  method: z.literal("geographic"),
  /** The first that matches holds. */
  rules: z.array(geographicRule).min(1, "name at least one rule, or use another method"),
  /** The order for everybody else, and behind the regions of a rule; regions that are not named follow in the order of the file. */
  fallback: z.array(regionName).min(1).optional(),
  ...onTop,
});

const latency = z.strictObject({
  method: z.literal("latency"),
  /** Regions whose probes took at most this much longer than the fastest's count as equals, in the order of the file. */
  tolerance: durationFrom(0).prefault("20ms"),
  ...onTop,
});

const hash = z.strictObject({
  method: z.literal("hash"),
  /** How far above the mean a region may be loaded before its next videos go elsewhere; 1.25 is a quarter above. */
  load: z.number().gt(1, "must be more than 1: no region can stay below the mean").max(100).prefault(1.25),
  ...onTop,
});

export const routing = z
  .discriminatedUnion("method", [priority, weighted, geographic, latency, hash], {
    error: "name a method: priority, weighted, geographic, latency or hash",
  })
  .prefault({});

const route = z.strictObject({
  /** Host name by which the player asks, without port. */
  host: z
    .string()
    .regex(/^[A-Za-z0-9.-]+$/, "write a host name without port")
    .transform((name) => name.toLowerCase())
    .optional(),
  /** Path with which the request starts, as the player sends it. */
  prefix: z
    .string()
    .regex(/^\/([A-Za-z0-9._~-]+\/)*$/, "write a path that starts and ends with /")
    .optional(),
  routing,
  /** As `gateway.whenNoneEligible`, which holds where this is left out. */
  whenNoneEligible: z.enum(["open", "closed"]).optional(),
  /** As `gateway.playback`, which holds where this is left out. */
  playback: playback.optional(),
});

/** The first that matches holds; `gateway.routing` where none does. */
export const routes = z.array(route).prefault([]);

/** What may be believed of a viewer's place. */
export const viewers = z
  .strictObject({
    /** Load balancers and CDNs in front of the gateway, whose X-Forwarded-For is believed. */
    proxies: z.array(network).prefault([]),
    /** Where a viewer's country comes from; left out: nowhere. */
    country: z
      .union(
        [
          /** A header field, and the addresses of those who set it: from anybody else it is ignored. */
          z.strictObject({
            header: z
              .string()
              .regex(/^[A-Za-z0-9-]+$/, "write the name of a header field")
              .transform((name) => name.toLowerCase()),
            from: z.array(network).min(1, "name the addresses that set it"),
          }),
          /** A database file in MaxMind's format. */
          z.strictObject({ database: nonEmpty }),
        ],
        { error: "write {header: NAME, from: [networks]} or {database: FILE}" },
      )
      .optional(),
  })
  .prefault({});

export type RoutingConfig = z.output<typeof routing>;
export type RouteConfig = z.output<typeof routes>[number];
