/**
 * The steering endpoint: which region is best for a session that is under way. From memory alone, and always 200: players stop asking for ever at
 * 404, 410 or 429, or ask without pause at 500.
 */
import type { Clock, Random } from "../../core/clock.ts";
import { GATEWAY_PATHWAY, type Decision, type PlaybackRequest } from "../../core/contracts.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { HealthView, OutcomeSink } from "../../core/ports/health.ts";
import type { Holdings } from "../eligibility.ts";
import type { Outcome } from "../outcome.ts";
import { bitsOf } from "../order/hash.ts";
import { keptOf, type KeptViewer, type Viewer, type WireFacts } from "../order/viewer.ts";
import type { Responder } from "../respond.ts";
import type { PlaybackRouter } from "../router.ts";
import { pathOf, queryOf } from "../target.ts";
import { CONTENT_TYPES, steeringManifest } from "./answer.ts";
import { Audience } from "./audience.ts";
import { priorityOf } from "./priority.ts";
import { readPathways, readSession, reloadUrl, sanePath, type SteeringProtocol } from "./session.ts";
import { hasIncident, type TtlPolicy } from "./ttl.ts";

export interface SteeringDeps {
  readonly router: PlaybackRouter;
  readonly responder: Responder;
  readonly health: HealthView;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  /** `gateway.steering` of the configuration. */
  readonly ttl: TtlPolicy;
  /** Names of the configured regions, in order. */
  readonly regions: readonly string[];
}

export interface SteeringAsking {
  readonly protocol: SteeringProtocol;
  /** For the session's manifest; null where no video has its path. */
  readonly request: PlaybackRequest | null;
  /** Of the steering request. */
  readonly target: string;
  /** By which players reach the gateway, without a slash at its end; null where it is not known: they come back by the way they came. */
  readonly origin: string | null;
  readonly wire: WireFacts;
}

export interface SteeringVisit extends SteeringAsking {
  readonly requestId: string;
}

export interface Told {
  /** ASCII. */
  readonly body: string;
  readonly contentType: string;
  /** Of the list. */
  readonly head: string;
  /** What the list was made of; its region may not be one of the session's. */
  readonly decision: Decision;
}

/** A list of pathways, and what can be said of it before anybody asks. */
interface Listed {
  readonly pathways: readonly string[];
  /** For a video of which memory knows nothing: it was sound to list these regions. */
  readonly holdings: Holdings;
}

/** A list in its order, for everybody with the same decision. */
interface Prepared {
  readonly head: string;
  readonly json: string;
  readonly incident: boolean;
}

/** Where a session has no path that means anything. */
const ANY_VIDEO: PlaybackRequest = { kind: "manifest", service: "streaming", locatorId: null, keyId: null, target: "/" };
/** Lists that are in use: a few for each combination of regions. */
const MAX_LISTS = 256;

export class SteeringRoute {
  readonly #deps: SteeringDeps;
  readonly #everywhere: Listed;
  readonly #lists = new Map<string, Listed>();
  readonly #prepared = new WeakMap<Decision, Map<Listed, Prepared>>();
  readonly #audience: Audience;

  constructor(deps: SteeringDeps) {
    this.#deps = deps;
    this.#audience = new Audience(deps);
    this.#everywhere = listed(deps.regions);
  }

  /** Never throws for what a client sent. */
  answer(visit: SteeringVisit): Outcome {
    const { body, head, decision, contentType } = this.told(visit);
    const { reason } = decision;
    const answer = this.#deps.responder.steering(body, contentType, { requestId: visit.requestId, reason, origin: head });
    return { answer, reason, decision: decision.region === head ? decision : { ...decision, region: head }, mode: "steer" };
  }

  /** As `answer`, without the fields that are the same for many. */
  told(visit: SteeringAsking): Told {
    const { router, metrics } = this.#deps;
    const { protocol, request, target, wire } = visit;
    const asked = readSession(queryOf(target));
    const list = this.#listOf(asked.pathways);
    const video = request ?? ANY_VIDEO;
    const viewer = router.returning(video, wire, asked.kept);
    const { decision, prepared } = this.#decided(video, list, viewer);
    const { head, json, incident } = prepared;
    const kept = this.#keptOf(viewer, asked.kept);
    const ttl = this.#audience.hear({ asked, target, address: router.address(wire), pathways: list.pathways, head, incident });
    metrics.steering.answer(head);
    return { body: steeringManifest(ttl, reloadUri(visit, list, kept), json), contentType: CONTENT_TYPES[protocol], head, decision };
  }

  /** The session's own list, or every region where it names none that can be read. */
  #listOf(text: string | null): Listed {
    if (text === null) return this.#everywhere;
    const known = this.#lists.get(text);
    if (known !== undefined) return known;
    const pathways = readPathways(text);
    if (pathways === null) return this.#everywhere;
    const list = listed(pathways);
    if (this.#lists.size >= MAX_LISTS) this.#lists.clear();
    this.#lists.set(text, list);
    return list;
  }

  #decided(request: PlaybackRequest, list: Listed, viewer: Viewer): { decision: Decision; prepared: Prepared } {
    const { router } = this.#deps;
    const holdings = router.known(request)?.holdings ?? list.holdings;
    const { decision, shared, measured } = router.steered(request, holdings, viewer);
    if (!shared) return { decision, prepared: prepare(list, decision, measured) };
    const lists = this.#prepared.get(decision) ?? new Map<Listed, Prepared>();
    const known = lists.get(list);
    if (known !== undefined) return { decision, prepared: known };
    const prepared = prepare(list, decision, measured);
    if (lists.size >= MAX_LISTS) lists.clear();
    this.#prepared.set(decision, lists.set(list, prepared));
    return { decision, prepared };
  }

  /** A viewer that says nothing of itself gets a number of its own, so that a region that returns slowly does not get it now and lose it again. */
  #keptOf(viewer: Viewer, kept: KeptViewer | null): KeptViewer {
    if (viewer.session === null && kept !== null) return kept;
    return keptOf(viewer) ?? { as: "chance", bits: bitsOf(this.#deps.random.next()) };
  }
}

function listed(pathways: readonly string[]): Listed {
  return { pathways, holdings: Object.fromEntries(pathways.map((id) => [id, "found"])) };
}

function prepare({ pathways }: Listed, decision: Decision, measured: boolean): Prepared {
  const priority = priorityOf(pathways, decision, measured);
  return { head: priority[0] ?? GATEWAY_PATHWAY, json: JSON.stringify(priority), incident: hasIncident(decision.considered, pathways) };
}

/** The same path and list as long as the session lasts. What the player added is its own to add again. */
function reloadUri({ protocol, request, target, origin }: SteeringAsking, { pathways }: Listed, kept: KeptViewer): string {
  // A path under which a video was found has passed the front door.
  const path = request === null ? sanePath(protocol, target) : pathOf(target);
  return reloadUrl(origin ?? "", path, pathways, kept);
}
