import { describe, expect, it } from "vitest";
import { demoteOnFailure } from "../../clients/shaka.js";

const SEGMENT = 1;
const CONTENT_STEERING = 8;
const WEST = "https://west.example/v/1.ts";
const NORTH = "https://north.example/v/1.ts";
const GATEWAY = "https://play.example/v/1.ts";
const ALL = [WEST, NORTH, GATEWAY];

interface Asked {
  uris: string[];
  attempt?: number;
}
type RequestFilter = (type: number, request: Asked) => void;
type ResponseFilter = (type: number, response: { readonly data: Uint8Array | null }) => void;

/** Calls the filters as Shaka does: each attempt anew, with the list that the last one left. */
class FakeNetwork {
  readonly requestFilters = new Set<RequestFilter>();
  readonly responseFilters = new Set<ResponseFilter>();
  readonly registerRequestFilter = (filter: RequestFilter): unknown => this.requestFilters.add(filter);
  readonly unregisterRequestFilter = (filter: RequestFilter): unknown => this.requestFilters.delete(filter);
  readonly registerResponseFilter = (filter: ResponseFilter): unknown => this.responseFilters.add(filter);
  readonly unregisterResponseFilter = (filter: ResponseFilter): unknown => this.responseFilters.delete(filter);

  /** The URLs that were asked until one answered. */
  load(uris: readonly string[], answers: (uri: string) => boolean, type = SEGMENT): string[] {
    const request: Asked = { uris: [...uris] };
    const asked: string[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      request.attempt = attempt;
      for (const filter of this.requestFilters) filter(type, request);
      const uri = request.uris[attempt % request.uris.length] ?? "";
      asked.push(uri);
      // Shaka bans the location before this one as soon as it goes on to another of the list.
      expect(attempt % request.uris.length === 0 || request.uris.length === uris.length, "a location was banned").toBe(true);
      if (answers(uri)) return asked;
    }
    return asked;
  }

  steered(manifest: string): void {
    for (const filter of this.responseFilters) filter(CONTENT_STEERING, { data: new TextEncoder().encode(manifest) });
  }

  poll(uri: string): string {
    const request: Asked = { uris: [uri], attempt: 0 };
    for (const filter of this.requestFilters) filter(CONTENT_STEERING, request);
    return request.uris[0] ?? "";
  }
}

function start(): { readonly network: FakeNetwork; readonly left: string[]; readonly stop: () => void } {
  const network = new FakeNetwork();
  const left: string[] = [];
  const stop = demoteOnFailure({ getNetworkingEngine: () => network }, { onDemote: (origin) => left.push(origin) });
  return { network, left, stop };
}

const alive = (): boolean => true;
const without =
  (dead: string) =>
  (uri: string): boolean =>
    !uri.startsWith(dead);

describe("Shaka", () => {
  it("asks the locations one by one, and gives Shaka no list of which it could ban one", () => {
    const { network, left } = start();
    const request: Asked = { uris: [...ALL], attempt: 0 };
    for (const filter of network.requestFilters) filter(SEGMENT, request);
    expect(request.uris).toEqual([WEST]);
    expect(network.load(ALL, without("https://west"))).toEqual([WEST, NORTH]);
    expect(left).toEqual(["https://west.example"]);
  });

  it("does not go to a failed region again until the gateway has put it behind another and then first", () => {
    const { network } = start();
    network.load(ALL, without("https://west"));
    expect(network.load(ALL, alive), "the gateway has not noticed yet").toEqual([NORTH]);
    expect(network.load([NORTH, WEST, GATEWAY], alive)).toEqual([NORTH]);
    expect(network.load(ALL, alive)).toEqual([WEST]);
  });

  it("comes to the gateway's own location where every region fails, and then begins again", () => {
    const { network } = start();
    expect(network.load(ALL, () => false)).toEqual([WEST, NORTH, GATEWAY, WEST, NORTH]);
  });

  it("leaves one location alone, and several of one host", () => {
    const { network, left } = start();
    expect(network.load([GATEWAY], () => false)).toEqual([GATEWAY, GATEWAY, GATEWAY, GATEWAY, GATEWAY]);
    const pair = ["https://west.example/a.ts", "https://west.example/b.ts"];
    expect(network.load(pair, without("https://west.example/a"))).toEqual(pair);
    expect(left).toEqual([]);
  });

  it("tells the steering server where it really plays, or nothing", () => {
    const { network } = start();
    const poll = "https://play.example/steering/hls/v?s=1&_HLS_pathway=west&_HLS_throughput=5";
    expect(network.poll(poll)).toBe("https://play.example/steering/hls/v?s=1&_HLS_throughput=5");
    network.steered('{"VERSION":1,"PATHWAY-PRIORITY":["west","north","gateway"]}');
    network.load(ALL, alive);
    expect(network.poll(poll)).toBe(poll);
    network.load(ALL, without("https://west"));
    expect(network.poll(poll)).toBe(poll.replace("=west", "=north"));
    expect(network.poll("data:application/json,%7B%7D")).toBe("data:application/json,%7B%7D");
  });

  it("keeps its order when the steering manifest is broken", () => {
    const { network } = start();
    network.steered("not JSON");
    network.steered("null");
    expect(network.load(ALL, alive)).toEqual([WEST]);
  });

  it("is gone when it is taken out", () => {
    const { network, stop } = start();
    stop();
    expect(network.requestFilters.size + network.responseFilters.size).toBe(0);
  });

  it("says so when the player is gone already", () => {
    expect(() => demoteOnFailure({ getNetworkingEngine: () => null })).toThrow("destroyed");
  });
});
