import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { covers, inNetwork, parseAddress, parseNetwork, type Address, type Network } from "../../src/core/address.ts";

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`${text} is no address`);
  return parsed;
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(`${text} is no network`);
  return parsed;
}

describe("addresses", () => {
  it.each([
    ["192.0.2.1", [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201]],
    ["::ffff:192.0.2.1", [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201]],
    ["::", [0, 0, 0, 0, 0, 0, 0, 0]],
    ["2001:DB8::8:800:200c:417a", [0x2001, 0xdb8, 0, 0, 8, 0x800, 0x200c, 0x417a]],
    ["fe80::1%eth0", [0xfe80, 0, 0, 0, 0, 0, 0, 1]],
    ["1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0]],
  ])("%s", (text, groups) => {
    expect(parseAddress(text)).toEqual(groups);
  });

  it.each([
    [""],
    ["1.2.3"],
    ["1.2.3.4.5"],
    ["1.2.3.256"],
    ["01.2.3.4"],
    ["1.2.3.4 "],
    ["1:2:3:4:5:6:7"],
    ["1:2:3:4:5:6:7:8:9"],
    ["1::2::3"],
    [":1:2:3:4:5:6:7"],
    ["1:2:3:4:5:6:7:8::"],
    ["12345::"],
    ["1.2.3.4::"],
    ["::1.2.3"],
    ["g::"],
  ])("%s is none", (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  it("are taken for one exactly where node takes them for one", () => {
    const alphabet = fc.constantFrom("0", "1", "25", "255", "256", ".", ".", ":", ":", "::", "f", "ffff");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.array(alphabet, { maxLength: 16 }).map((parts) => parts.join("")),
        ),
        (text) => (parseAddress(text) !== null) === (isIP(text) !== 0),
      ),
      { numRuns: 5_000 },
    );
  });
});

describe("networks", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "::a01:203", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.6", false],
    ["192.0.2.7/32", "192.0.2.7", true],
    ["2001:db8::1/128", "2001:db8::2", false],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "203.0.113.9", true],
  ])("%s holds %s: %s", (outer, inner, held) => {
    expect(inNetwork(address(inner), network(outer))).toBe(held);
  });

  it.each([
    ["10.0.0.1/8"],
    ["10.0.0.0/33"],
    ["10.0.0.0/08"],
    ["10.0.0.0/"],
    ["10.0.0.0/8/8"],
    ["2001:db8::1/64"],
    ["::/129"],
    ["here"],
    ["fe80::1%eth0"],
  ])("%s is none", (text) => {
    expect(parseNetwork(text)).toBeNull();
  });

  it("cover one another exactly where every address of the one is in the other", () => {
    expect(covers(network("10.0.0.0/8"), network("10.2.0.0/16"))).toBe(true);
    expect(covers(network("10.2.0.0/16"), network("10.0.0.0/8"))).toBe(false);
    expect(covers(network("10.0.0.0/8"), network("10.0.0.0/8"))).toBe(true);
    expect(covers(network("10.0.0.0/8"), network("11.0.0.0/16"))).toBe(false);
  });
});
