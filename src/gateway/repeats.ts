/**
 * What a viewer asks for a second time within seconds, it did not get where it was sent: the next answer leads elsewhere, before any probe has
 * noticed. Players give up after two to four tries of one segment, which is less than it takes to be sure that a region is down.
 */
import type { Clock } from "../core/clock.ts";
import type { PlaybackRequest } from "../core/contracts.ts";
import { hashText, mix } from "./order/hash.ts";
import type { WireFacts } from "./order/viewer.ts";
import type { PlaybackRouter } from "./router.ts";

export interface RepeatDeps {
  readonly router: Pick<PlaybackRouter, "playback" | "address">;
  readonly clock: Clock;
}

interface Given {
  readonly region: string;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** Longer than the time-outs of players, and shorter than it takes to come back to a segment by seeking. */
const WINDOW_MS = 15_000;
/** About a hundred bytes each. */
const MAX_GIVEN = 65_536;
const NOWHERE: ReadonlySet<string> = new Set();
const TWO_TO_21 = 2 ** 21;

export class Repeats {
  readonly #deps: RepeatDeps;
  /** By viewer and target, oldest first. */
  readonly #given = new Map<number, Given>();

  constructor(deps: RepeatDeps) {
    this.#deps = deps;
  }

  /** True for segments of routes whose sessions are to outlive a region. In `redirect` mode players ask the regions themselves. */
  covers(request: PlaybackRequest): boolean {
    return request.kind === "media" && this.#deps.router.playback(request) !== "redirect";
  }

  /** The region that this viewer was sent to for the same just now. */
  tried(wire: WireFacts): ReadonlySet<string> {
    const given = this.#lately(this.#key(wire));
    return given === null ? NOWHERE : new Set([given.region]);
  }

  gave(wire: WireFacts, region: string): void {
    this.#note(this.#key(wire), region);
  }

  /** True for a repetition, which is left as it is; else the viewer is sent to `region`, and that is remembered. */
  isRepeated(wire: WireFacts, region: string): boolean {
    const key = this.#key(wire);
    if (this.#lately(key) !== null) return true;
    this.#note(key, region);
    return false;
  }

  #lately(key: number): Given | null {
    const given = this.#given.get(key);
    return given === undefined || this.#deps.clock.monotonic() - given.at > WINDOW_MS ? null : given;
  }

  #note(key: number, region: string): void {
    const at = this.#deps.clock.monotonic();
    this.#given.delete(key);
    this.#given.set(key, { region, at });
    for (const [oldest, given] of this.#given) {
      if (this.#given.size <= MAX_GIVEN && at - given.at <= WINDOW_MS) return;
      this.#given.delete(oldest);
    }
  }

  /** Several viewers may share an address; parts of one file are asked for by range. 53 bits. */
  #key(wire: WireFacts): number {
    const address = this.#deps.router.address(wire);
    const viewer = `${address === null ? "" : address.join(":")} ${wire.header("user-agent") ?? ""} ${wire.header("range") ?? ""}`;
    const target = hashText(wire.target);
    return mix(hashText(viewer), target) * TWO_TO_21 + (target >>> 11);
  }
}
