import { beforeEach, describe, expect, it } from "vitest";
import { parseAddress } from "../../src/core/address.ts";
import type { PlaybackRequest } from "../../src/core/contracts.ts";
import type { WireFacts } from "../../src/gateway/order/viewer.ts";
import { Repeats } from "../../src/gateway/repeats.ts";
import { ManualClock } from "../fakes/clock.ts";

const SEGMENT = "/8d7ab48c-5d43-4f31-9d52-000000000001/v/1.m4s";

function wire(target: string, { address = "192.0.2.1", ...fields }: Readonly<Record<string, string>> = {}): WireFacts {
  return { target, header: (name) => fields[name], peer: () => address };
}

describe("what a viewer asks for again", () => {
  let clock: ManualClock;
  let repeats: Repeats;

  beforeEach(() => {
    clock = new ManualClock();
    const router = { playback: () => "anchor" as const, address: ({ peer }: WireFacts) => parseAddress(peer() ?? "") };
    repeats = new Repeats({ router, clock });
  });

  it("was tried where he was sent last", () => {
    expect(repeats.tried(wire(SEGMENT))).toEqual(new Set());
    repeats.gave(wire(SEGMENT), "westeurope");
    expect(repeats.tried(wire(SEGMENT))).toEqual(new Set(["westeurope"]));
    repeats.gave(wire(SEGMENT), "northeurope");
    expect(repeats.tried(wire(SEGMENT))).toEqual(new Set(["northeurope"]));
  });

  it.each([
    ["another segment", wire(`${SEGMENT}2`)],
    ["another range of one file", wire(SEGMENT, { range: "bytes=0-99" })],
    ["another address", wire(SEGMENT, { address: "192.0.2.2" })],
    ["another player at the same address", wire(SEGMENT, { "user-agent": "another" })],
  ])("is not %s", (_name, other) => {
    repeats.gave(wire(SEGMENT), "westeurope");
    expect(repeats.tried(other)).toEqual(new Set());
    expect(repeats.isRepeated(other, "westeurope")).toBe(false);
  });

  it("counts for fifteen seconds", async () => {
    repeats.gave(wire(SEGMENT), "westeurope");
    await clock.advance(15_000);
    expect(repeats.isRepeated(wire(SEGMENT), "westeurope")).toBe(true);
    await clock.advance(1);
    expect(repeats.tried(wire(SEGMENT))).toEqual(new Set());
    expect(repeats.isRepeated(wire(SEGMENT), "northeurope")).toBe(false);
    expect(repeats.tried(wire(SEGMENT))).toEqual(new Set(["northeurope"]));
  });

  it("is forgotten oldest first where there is too much of it", () => {
    for (let number = 0; number <= 65_536; number += 1) repeats.gave(wire(`${SEGMENT}?${number}`), "westeurope");
    expect(repeats.tried(wire(`${SEGMENT}?0`))).toEqual(new Set());
    expect(repeats.tried(wire(`${SEGMENT}?1`))).toEqual(new Set(["westeurope"]));
    expect(repeats.tried(wire(`${SEGMENT}?65536`))).toEqual(new Set(["westeurope"]));
  });
});

describe("routes that are watched", () => {
  const media: PlaybackRequest = { kind: "media", service: "streaming", locatorId: "a", keyId: null, target: SEGMENT };

  it.each([
    ["redirect", media, false],
    ["anchor", media, true],
    ["steer", media, true],
    ["anchor", { ...media, kind: "manifest" }, false],
  ] as const)("%s, %o: %s", (mode, request, expected) => {
    const repeats = new Repeats({ router: { playback: () => mode, address: () => null }, clock: new ManualClock() });
    expect(repeats.covers(request)).toBe(expected);
  });
});
