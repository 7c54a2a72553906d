/** One world: time, two regions, the gateway's own application with its router and its health on top of them, and players who watch. */
import { setImmediate as turn } from "node:timers/promises";
import { seededRandom, ManualClock } from "../fakes/clock.ts";
import type { Outage } from "./faults.ts";
import { simulatedGateway, type Gateway, type GatewayParts, type Mode } from "./gateway.ts";
import { GATEWAY, Network, type SteeringOutage } from "./network.ts";
import type { Content } from "./origin.ts";
import { Player, type Profile } from "./player.ts";
import { Regions, type RegionName } from "./regions.ts";

export interface Viewer {
  readonly name: string;
  readonly profile: Profile;
  readonly mode: Mode;
  readonly content: Content;
  readonly bufferSeconds: number;
  /** Null: the steering server is well for this viewer. */
  readonly steering?: SteeringOutage | null;
}

/** Time for the first probes, before anybody watches. */
const SETTLING_MS = 90_000;

export class World implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly #regions: Regions;
  readonly #gateway: Gateway;
  readonly #players: Player[] = [];

  private constructor(seed: number, gateway: (parts: GatewayParts) => Gateway) {
    this.clock = new ManualClock(Date.UTC(2026, 0, 1), settle);
    this.#regions = new Regions(this.clock, seededRandom(seed));
    this.#gateway = gateway({ clock: this.clock, regions: this.#regions, random: seededRandom(seed + 1) });
  }

  /** Regions are known to be well when it begins. */
  static async begin(seed: number, gateway = simulatedGateway): Promise<World> {
    const world = new World(seed, gateway);
    await world.clock.advance(SETTLING_MS);
    return world;
  }

  get now(): number {
    return this.clock.monotonic();
  }

  isIll(region: RegionName): boolean {
    return this.#gateway.isIll(region);
  }

  probedAt(region: RegionName): number {
    return this.#gateway.probedAt(region);
  }

  plan(region: RegionName, outage: Outage): void {
    this.#regions.plan(region, outage);
  }

  /** The same name has the same latencies, whoever else watches. */
  watch({ name, profile, mode, content, bufferSeconds, steering = null }: Viewer): Player {
    const { clock } = this;
    const random = seededRandom(hash(name));
    const network = new Network({ clock, regions: this.#regions, gateway: this.#gateway.ask }, addressOf(name), random, steering);
    const file = profile.protocol === "hls" ? "master.m3u8" : "manifest.mpd";
    const player = new Player({ profile, url: `${GATEWAY}/${mode}/${content}/${file}`, bufferSeconds, network, clock, random });
    this.#players.push(player);
    player.start();
    return player;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const player of this.#players) player.stop();
    const stopped = this.#gateway.stop();
    await this.clock.advance(SETTLING_MS);
    await stopped;
  }
}

/** Nothing here waits for a thread: a few turns of the event loop run everything that can run. */
async function settle(): Promise<void> {
  await turn();
  await turn();
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

/** Viewers are told apart by their address. */
function addressOf(name: string): string {
  const value = hash(name);
  return `10.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}
