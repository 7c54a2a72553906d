import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../src/core/address.ts";
import { preparePolicy, type RoutingPolicy } from "../../../src/gateway/order/policy.ts";
import { hintedViewer, networksOf, NOTHING_BELIEVED, seedOf, viewerFor, type ViewerRules } from "../../../src/gateway/order/viewer.ts";

const GEOGRAPHIC: RoutingPolicy = { method: "geographic", rules: [{ countries: ["DE"], regions: ["a"] }] };

interface Wire {
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly peer?: string | null;
}

function viewer(policy: RoutingPolicy, { target = "/", headers = {}, peer = null }: Wire, rules: Partial<ViewerRules> = {}) {
  const wire = { target, header: (name: string) => headers[name], peer: () => peer };
  return viewerFor(preparePolicy(policy, ["a", "b"]), wire, { ...NOTHING_BELIEVED, ...rules }, 0.25);
}

function session(by: string, wire: Wire): string | null {
  return viewer({ method: "priority", sticky: { by } }, wire).session;
}

describe("the session", () => {
  it("is the sid of CMCD, from the query first, then from the header field", () => {
    const query = "/a/b.m3u8?x=1&CMCD=bl%3D21%2Csid%3D%22one%22";
    expect(session("cmcd-sid", { target: query })).toBe("one");
    expect(session("cmcd-sid", { headers: { "cmcd-session": 'cid="c",sid="two"' } })).toBe("two");
    expect(session("cmcd-sid", { target: query, headers: { "cmcd-session": 'sid="two"' } })).toBe("one");
    expect(session("cmcd-sid", { target: "/a?CMCD=bl%3D21", headers: { "cmcd-session": 'sid="two"' } })).toBe("two");
  });

  it.each([
    ["/a?session=s1", "s1"],
    ["/a?x=1&session=s%201&session=s2", "s 1"],
    ["/a?xsession=no&y=session=no", null],
    ["/a?session", null],
    ["/a?session=", null],
    ["/a?another=no&sessions=no&session=s1", "s1"],
    ["/a?session=%zz", null],
    ["/session=s1", null],
    [`/a?session=${"s".repeat(256)}`, "s".repeat(256)],
    [`/a?session=${"s".repeat(257)}`, null],
  ])("is a query parameter: %s has %s", (target, expected) => {
    expect(session("query:session", { target })).toBe(expected);
  });

  it("is not looked for where nothing is sticky", () => {
    expect(viewer({ method: "priority" }, { target: "/?CMCD=sid%3D%22one%22" }).session).toBeNull();
  });

  it("takes the place of chance", () => {
    const known = { session: "one", country: null, address: null, chance: 0.1 };
    expect(seedOf(known)).toBe(seedOf({ ...known, chance: 0.9 }));
    expect(seedOf({ ...known, session: null })).not.toBe(seedOf({ ...known, session: null, chance: 0.9 }));
    expect(seedOf({ ...known, session: null, chance: 0 })).toBe(0);
    expect(seedOf({ ...known, session: null, chance: 1 - Number.EPSILON })).toBe(0xffff_ffff);
  });
});

describe("the viewer's address", () => {
  const rules = { proxies: networksOf(["10.0.0.0/8", "2001:db8::/32"]) };
  const from = (peer: string, forwarded?: string) =>
    viewer(GEOGRAPHIC, { peer, headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded } }, rules).address;

  it.each([
    ["203.0.113.1", undefined, "203.0.113.1"],
    ["203.0.113.1", "198.51.100.1", "203.0.113.1"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"],
    ["10.0.0.1", "198.51.100.1, 10.9.9.9", "198.51.100.1"],
    ["10.0.0.1", "192.0.2.66,198.51.100.1 , 2001:db8::7", "198.51.100.1"],
    ["10.0.0.1", "198.51.100.1:4711", "198.51.100.1"],
    ["10.0.0.1", "[2001:beef::1]:4711", "2001:beef::1"],
    ["10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"],
    ["10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", "", "10.0.0.1"],
  ])("behind %s that says %s is %s", (peer, forwarded, expected) => {
    expect(from(peer, forwarded)).toEqual(parseAddress(expected));
  });

  it("is nobody's where the socket has none that can be read", () => {
    expect(viewer(GEOGRAPHIC, { peer: "a local socket", headers: { "x-forwarded-for": "198.51.100.1" } }, rules).address).toBeNull();
  });

  it("is nobody's where there is no socket, and not asked for where the policy is not about places", () => {
    expect(viewer(GEOGRAPHIC, {}).address).toBeNull();
    expect(viewer({ method: "priority" }, { peer: "203.0.113.1" }).address).toBeNull();
  });
});

describe("the viewer's country", () => {
  const countryHeader = { name: "x-country", from: networksOf(["192.0.2.0/24"]) };
  const rules = { proxies: networksOf(["10.0.0.0/8", "192.0.2.0/24"]), countryHeader };

  it.each([
    ["192.0.2.1", "de", undefined, "DE"],
    ["192.0.2.1", " FR ", undefined, "FR"],
    ["192.0.2.1", "XXX", undefined, null],
    ["192.0.2.1", "", undefined, null],
    ["203.0.113.1", "DE", undefined, null],
    ["10.0.0.1", "DE", "198.51.100.1, 192.0.2.1", "DE"],
    ["10.0.0.1", "DE", "192.0.2.1, 198.51.100.1", null],
    ["10.0.0.1", "DE", undefined, null],
  ])("from %s that says %s (forwarded for %s) is %s", (peer, country, forwarded, expected) => {
    const headers = { "x-country": country, ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }) };
    expect(viewer(GEOGRAPHIC, { peer, headers }, rules).country).toBe(expected);
  });

  it("comes from the reader, by the viewer's own address, where there is no header", () => {
    const asked: unknown[] = [];
    const countries = {
      country: (address: unknown) => {
        asked.push(address);
        return "SE";
      },
    };
    const found = viewer(
      GEOGRAPHIC,
      { peer: "10.0.0.1", headers: { "x-forwarded-for": "198.51.100.1" } },
      { ...rules, countryHeader: null, countries },
    );
    expect(found.country).toBe("SE");
    expect(asked).toEqual([parseAddress("198.51.100.1")]);
  });
});

describe("a viewer that is only supposed", () => {
  const hints = { session: "s", country: "de", address: "203.0.113.1" };

  it("has what the policy would ask for, and no more", () => {
    const prepared = (policy: RoutingPolicy) => preparePolicy(policy, ["a", "b"]);
    const suppose = (policy: RoutingPolicy, given = hints) => hintedViewer(prepared(policy), given, "/?session=t", NOTHING_BELIEVED, 0.5);
    expect(suppose({ method: "priority" })).toEqual({ session: null, country: null, address: null, chance: 0.5 });
    expect(suppose(GEOGRAPHIC)).toEqual({ session: null, country: "DE", address: parseAddress("203.0.113.1"), chance: 0.5 });
    const sticky = { method: "priority", sticky: { by: "query:session" } } as const;
    expect(suppose(sticky).session).toBe("s");
    expect(hintedViewer(prepared(sticky), {}, "/?session=t", NOTHING_BELIEVED, 0.5).session).toBe("t");
  });
});
