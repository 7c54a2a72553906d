/** Whether an operator may set this override now, and why not. Pure: regions, overrides in force, health and time are arguments. */
import {
  SERVICES,
  type HealthSnapshot,
  type Override,
  type OverrideKind,
  type OverrideService,
  type Region,
  type Service,
} from "../../core/contracts.ts";

/** The longest override: what nobody looks at for a week belongs into the configuration. */
export const MAX_OVERRIDE_MS = 7 * 86_400_000;
export const MAX_REASON_LENGTH = 500;

/** What an operator asks for. */
export interface OverrideRequest {
  readonly kind: OverrideKind;
  readonly region: string;
  readonly service: OverrideService;
  readonly reason: string;
  /** From now; null where `expiresAt` is given. */
  readonly durationMs: number | null;
  readonly expiresAt: number | null;
  readonly by: string;
  /** Drain or disable even the last eligible region; pin a region well or ill. Sets no other rule aside. */
  readonly force: boolean;
}

/** The account of a region that encodes. */
export interface Encoder {
  readonly region: string;
  /** False: it is out. What operators say of it does not count. */
  readonly works: boolean;
}

export interface OverrideSituation {
  readonly regions: readonly Region[];
  /** Empty: nothing is encoded. Left out: that is not known, or nothing to the request. */
  readonly encoders?: readonly Encoder[];
  /** Those that have not expired. */
  readonly active: readonly Override[];
  readonly health: HealthSnapshot;
  readonly now: number;
  /** Default `MAX_OVERRIDE_MS`. */
  readonly maxMs?: number;
}

/** Stable words: error codes of the admin API. */
export const OVERRIDE_REFUSALS = [
  "unknown_region",
  "no_such_service",
  "reason_missing",
  "reason_too_long",
  "expiry_missing",
  "expiry_in_past",
  "expiry_too_long",
  "contradiction",
  "last_eligible",
  "unhealthy",
] as const;
export type OverrideRefusalCode = (typeof OVERRIDE_REFUSALS)[number];

/** Refusals that say no more than "are you sure": `force` sets them aside. */
export const FORCEABLE: readonly OverrideRefusalCode[] = ["last_eligible", "unhealthy"];

export interface OverrideRefusal {
  readonly code: OverrideRefusalCode;
  /** For people: what is wrong, and what to do. */
  readonly message: string;
}

export type OverrideRuling =
  | { readonly allowed: true; readonly override: Omit<Override, "id"> }
  | { readonly allowed: false; readonly refusal: OverrideRefusal };

/** The override to be stored, or the first rule that refuses it. */
export function judgeOverride(request: OverrideRequest, situation: OverrideSituation): OverrideRuling {
  const reason = request.reason.trim().replaceAll(/\s+/g, " ");
  const refusal =
    regionRefusal(request, situation) ??
    reasonRefusal(reason) ??
    expiryRefusal(request, situation) ??
    contradiction(request, situation) ??
    (request.force ? null : questioned(request, situation));
  if (refusal !== null) return { allowed: false, refusal };
  const { kind, region, service, by } = request;
  const expiresAt = expiryOf(request, situation.now);
  const forced = kind === "pin" && request.force ? { forced: true } : {};
  return { allowed: true, override: { kind, region, service, reason, by, createdAt: situation.now, expiresAt, ...forced } };
}

/** Is that meant? */
function questioned(request: OverrideRequest, situation: OverrideSituation): OverrideRefusal | null {
  return lastEligible(request, situation) ?? lastEncoder(request, situation) ?? unhealthyPin(request, situation);
}

function regionRefusal(request: OverrideRequest, situation: OverrideSituation): OverrideRefusal | null {
  const { region, service } = request;
  const { regions } = situation;
  const found = regions.find(({ name }) => name === region);
  if (found === undefined) {
    const names = regions.map(({ name }) => name).join(", ");
    return { code: "unknown_region", message: `no region is named ${region}; regions are ${names}` };
  }
  if (service === "encoding") return encodingRefusal(request, situation);
  if (service !== "keys" || found.keys !== null) return null;
  return { code: "no_such_service", message: `${region} has no key delivery of its own, so there is nothing to override` };
}

function encodingRefusal({ kind, region }: OverrideRequest, { encoders }: OverrideSituation): OverrideRefusal | null {
  if (kind === "pin") {
    const message = "a pin is for viewers: jobs go where there is room. To have them all in one region, drain encoding in the others";
    return { code: "no_such_service", message };
  }
  if (encoders === undefined || encoders.some((each) => each.region === region)) return null;
  const names = encoders.map((each) => each.region).join(", ");
  const others = names === "" ? "nothing is encoded here" : `regions that encode are ${names}`;
  return { code: "no_such_service", message: `${region} does not encode, so there is nothing to override; ${others}` };
}

function reasonRefusal(reason: string): OverrideRefusal | null {
  if (reason === "") return { code: "reason_missing", message: "say why: whoever meets this override later has only the reason to go by" };
  if (reason.length <= MAX_REASON_LENGTH) return null;
  return { code: "reason_too_long", message: `the reason has ${reason.length} characters; use at most ${MAX_REASON_LENGTH}` };
}

function expiryRefusal(request: OverrideRequest, { now, maxMs = MAX_OVERRIDE_MS }: OverrideSituation): OverrideRefusal | null {
  const expiresAt = expiryOf(request, now);
  if (!Number.isFinite(expiresAt)) return { code: "expiry_missing", message: "say for how long, for instance 30m: every override ends" };
  if (expiresAt <= now) return { code: "expiry_in_past", message: "it would have ended already; name a time to come" };
  if (expiresAt - now <= maxMs) return null;
  const most = `${Math.floor(maxMs / 3_600_000)} h`;
  return { code: "expiry_too_long", message: `an override lasts at most ${most}; what is to last longer belongs into the configuration` };
}

/** Epoch milliseconds, whole; NaN where neither end nor duration is given. */
function expiryOf({ durationMs, expiresAt }: OverrideRequest, now: number): number {
  return Math.round(expiresAt ?? (durationMs === null ? Number.NaN : now + durationMs));
}

/** A pin against a drain, or against a pin of another region. A disable holds whatever is pinned, so that a region can be closed at once. */
function contradiction(request: OverrideRequest, { active }: OverrideSituation): OverrideRefusal | null {
  const against = active.find((other) => meet(other, request) && contradicts(request, other));
  if (against === undefined) return null;
  const { region, service, kind, reason, id } = against;
  const word = { pin: "pinned", drain: "drained", disable: "disabled" }[kind];
  const subject = service === "all" ? region : `${region} ${service}`;
  return {
    code: "contradiction",
    message: `${subject} is ${word} already (${reason}), which says the opposite: lift override ${id} first`,
  };
}

/** `other` covers a service of the request. One of the very same service is replaced, and says nothing any more. */
function contradicts({ kind, region, service }: OverrideRequest, other: Override): boolean {
  if (kind === "pin") return other.kind === "pin" ? other.region !== region : other.region === region;
  return kind === "drain" && other.kind === "pin" && other.region === region && other.service !== service;
}

/** A pin yields to illness, so this one would do nothing, or by force send everyone to where the probes fail. */
function unhealthyPin({ kind, region, service }: OverrideRequest, { health }: OverrideSituation): OverrideRefusal | null {
  if (kind !== "pin") return null;
  const ill = SERVICES.find((each) => overlap(service, each) && health.regions[region]?.[each]?.status === "unhealthy");
  if (ill === undefined) return null;
  const why = health.regions[region]?.[ill]?.reason ?? "no reason given";
  return {
    code: "unhealthy",
    message: `${region} is unhealthy for ${ill} (${why}), so a pin would send nobody there, or by force everyone; force it if you mean it`,
  };
}

/** The last account that works and takes jobs: without it they wait. */
function lastEncoder({ kind, region, service }: OverrideRequest, { encoders = [], active }: OverrideSituation): OverrideRefusal | null {
  if (kind === "pin" || !overlap(service, "encoding")) return null;
  const others = active.filter((each) => each.region !== region || each.service !== service);
  const whyNot = ({ region: name, works }: Encoder): string | null => {
    const word = overridden(name, "encoding", others, ["disable", "drain"])?.kind;
    if (word !== undefined) return word === "drain" ? "drained" : "disabled";
    return works ? null : "out";
  };
  const own = encoders.find((each) => each.region === region);
  const rest = encoders.filter((each) => each !== own);
  if (own === undefined || whyNot(own) !== null || rest.some((each) => whyNot(each) === null)) return null;
  const why = rest.length === 0 ? "no other region encodes" : rest.map((each) => `${each.region} is ${whyNot(each) ?? "used"}`).join(", ");
  return {
    code: "last_eligible",
    message: `the account of ${region} is the last that takes encoding jobs (${why}), and new ones would wait; force it if you mean it`,
  };
}

function lastEligible(request: OverrideRequest, situation: OverrideSituation): OverrideRefusal | null {
  if (request.kind === "pin") return null;
  // The override that this one replaces ends with it.
  const active = situation.active.filter(({ region, service }) => region !== request.region || service !== request.service);
  const services = SERVICES.filter((service) => overlap(request.service, service));
  const refusals = services.map((service) => lastOf(service, request, { ...situation, active }));
  return refusals.find((refusal) => refusal !== null) ?? null;
}

/** A drain leaves the region as the last resort; a disable does not, so it must leave another region that is not disabled, well or ill. */
function lastOf(
  service: Service,
  { kind, region }: OverrideRequest,
  { regions, active, health }: OverrideSituation,
): OverrideRefusal | null {
  const serving = regions.filter(({ keys }) => service === "streaming" || keys !== null).map(({ name }) => name);
  if (!serving.includes(region)) return null;
  const others = serving.filter((name) => name !== region);
  const isEligible = (name: string) => whyNotEligible(name, service, active, health) === null;
  const eligible = isEligible(region) && !others.some(isEligible);
  const resort = kind === "disable" && others.every((name) => overridden(name, service, active, ["disable"]) !== undefined);
  if (!eligible && !resort) return null;
  const rest = others.map((name) => `${name} is ${whyNotEligible(name, service, active, health) ?? "eligible"}`);
  const why = rest.length === 0 ? "no other region has it" : rest.join(", ");
  const last = eligible ? "eligible" : "left";
  return { code: "last_eligible", message: `${region} is the last region ${last} for ${service} (${why}); force it if you mean it` };
}

/** A word for why a service of a region takes no new viewers; null where it does. */
function whyNotEligible(name: string, service: Service, active: readonly Override[], health: HealthSnapshot): string | null {
  const kind = overridden(name, service, active, ["disable", "drain"])?.kind;
  if (kind !== undefined) return kind === "drain" ? "drained" : "disabled";
  return health.regions[name]?.[service]?.status === "unhealthy" ? "unhealthy" : null;
}

function overridden(
  name: string,
  service: Service | "encoding",
  active: readonly Override[],
  kinds: readonly OverrideKind[],
): Override | undefined {
  return active.find((each) => each.region === name && overlap(each.service, service) && kinds.includes(each.kind));
}

/** A pin of all is one of all that viewers use. */
function meet(one: Pick<Override, "kind" | "service">, other: Pick<Override, "kind" | "service">): boolean {
  if ([one, other].some(({ kind }) => kind === "pin") && [one, other].some(({ service }) => service === "encoding")) return false;
  return overlap(one.service, other.service);
}

function overlap(one: OverrideService, other: OverrideService): boolean {
  return one === other || one === "all" || other === "all";
}
