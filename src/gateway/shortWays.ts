/** The short ways through the gateway, each for requests of one kind that come often; what none of them takes, the application answers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayConfig } from "../core/config/schema.ts";
import type { PlaybackRequest } from "../core/contracts.ts";
import { HotPath, type HotPathDeps } from "./hotPath.ts";
import { KeyPath, type KeyPathDeps } from "./keyPath.ts";
import type { Playback } from "./rewrite/build.ts";
import { ManifestPath } from "./rewrite/manifestPath.ts";
import { SteeringPath } from "./steering/steeringPath.ts";
import { canWriteWholeHead } from "./wholeHead.ts";

export interface ShortWaysDeps extends Omit<HotPathDeps, "leaves">, Pick<KeyPathDeps, "keys" | "broken"> {
  /** Null where every manifest is redirected. */
  readonly playback: Playback | null;
  readonly config: Pick<GatewayConfig, "keys">;
}

interface ShortWay {
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
}

export class ShortWays implements ShortWay {
  readonly #ways: readonly ShortWay[];

  constructor(deps: ShortWaysDeps) {
    const { playback, config } = deps;
    const keys = new KeyPath({ ...deps, prefix: config.keys.prefix, host: config.keys.host ?? null });
    this.#ways = [
      keys,
      ...(playback === null ? [] : steeringWay(deps, playback)),
      ...(canWriteWholeHead() ? wholeWays(deps, playback) : []),
    ];
  }

  /** False: nothing was done, and the application has to answer. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    for (const way of this.#ways) if (way.answer(incoming, outgoing)) return true;
    return false;
  }
}

function steeringWay(deps: ShortWaysDeps, { steering: route, urls }: Playback): ShortWay[] {
  return [new SteeringPath({ ...deps, route, originOf: (host, wire) => urls.origin(host, wire) })];
}

function wholeWays(deps: ShortWaysDeps, playback: Playback | null): ShortWay[] {
  if (playback === null) return [new HotPath(deps)];
  const leaves = (request: PlaybackRequest): boolean => playback.rewrite.takes(request);
  return [new ManifestPath({ ...deps, ...playback }), new HotPath({ ...deps, leaves })];
}
