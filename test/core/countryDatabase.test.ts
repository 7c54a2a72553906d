import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/core/address.ts";
import { readConfig } from "../../src/core/config/source.ts";
import { CountryDatabase, readCountryDatabase } from "../../src/core/countryDatabase.ts";
import { maxMindFile, type Value } from "../fakes/maxMindFile.ts";

const country = (code: string): Value => ({
  continent: { code: "EU", names: { en: "somewhere" } },
  country: { geoname_id: 1, is_in_european_union: true, iso_code: code, names: { en: code, fr: code } },
});

const NETWORKS = {
  "198.51.100.0/24": country("SE"),
  "198.51.100.128/25": country("FR"),
  "203.0.113.7": country("US"),
  "2001:db8::/32": country("DE"),
  "2001:db8:1::/48": country("NL"),
  "192.0.2.0/24": { registered_country: { iso_code: "CH" } },
  "100.64.0.0/16": { traits: { is_anonymous_proxy: true, score: 0.5, tags: ["one", "two"] } },
} as const;

function countryOf(database: CountryDatabase, address: string): string | null {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(`${address} is no address`);
  return database.country(parsed);
}

const EXPECTED: readonly (readonly [string, string | null])[] = [
  ["198.51.100.1", "SE"],
  ["198.51.100.127", "SE"],
  ["198.51.100.128", "FR"],
  ["::ffff:198.51.100.128", "FR"],
  ["203.0.113.7", "US"],
  ["203.0.113.8", null],
  ["192.0.2.1", "CH"],
  ["100.64.1.1", null],
  ["10.0.0.1", null],
];
const EXPECTED_IPV6: readonly (readonly [string, string | null])[] = [
  ["2001:db8::1", "DE"],
  ["2001:db8:0:ffff:ffff:ffff:ffff:ffff", "DE"],
  ["2001:db8:1::", "NL"],
  ["2001:db9::", null],
  ["::1", null],
];

describe.each([24, 28, 32] as const)("a database with records of %i bits", (recordSize) => {
  const database = CountryDatabase.from(maxMindFile({ networks: NETWORKS, recordSize }), "x.mmdb");

  it.each([...EXPECTED, ...EXPECTED_IPV6])("knows of %s that it is in %s", (address, expected) => {
    expect(countryOf(database, address)).toBe(expected);
  });
});

it("of IPv4 alone knows nothing of other addresses", () => {
  const networks = Object.fromEntries(Object.entries(NETWORKS).filter(([text]) => !text.includes(":")));
  const database = CountryDatabase.from(maxMindFile({ networks, ipVersion: 4 }), "x.mmdb");
  for (const [address, expected] of EXPECTED) expect([address, countryOf(database, address)]).toEqual([address, expected]);
  for (const [address] of EXPECTED_IPV6) expect([address, countryOf(database, address)]).toEqual([address, null]);
  expect({ type: database.type, builtAt: database.builtAt }).toEqual({ type: "Test-Country", builtAt: 1_700_000_000_000 });
});

it("of IPv6 alone is one, too", () => {
  const database = CountryDatabase.from(maxMindFile({ networks: { "2001:db8::/32": country("DE") } }), "x.mmdb");
  expect(countryOf(database, "2001:db8::1")).toBe("DE");
});

it.each([
  ["IPinfo's", { country: "JP", continent: "AS" }, "JP"],
  ["IPinfo Lite's", { country: "Japan", country_code: "JP" }, "JP"],
])("reads %s records", (_, record, expected) => {
  expect(countryOf(CountryDatabase.from(maxMindFile({ networks: { "198.51.100.0/24": record } }), "x.mmdb"), "198.51.100.1")).toBe(
    expected,
  );
});

it("agrees with the networks it was made of, whatever they are", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const codes = ["AA", "BB", "CC", "DD"];
  fc.assert(
    fc.property(fc.array(fc.tuple(octet, octet, fc.constantFrom(...codes)), { minLength: 1, maxLength: 12 }), (rows) => {
      const networks = Object.fromEntries(rows.map(([a, b, code]) => [`${a}.${b}.0.0/16`, country(code)]));
      const database = CountryDatabase.from(maxMindFile({ networks }), "x.mmdb");
      const last = new Map(rows.map(([a, b, code]) => [`${a}.${b}`, code]));
      for (const [start, code] of last) expect(countryOf(database, `${start}.200.3`)).toBe(code);
    }),
    { numRuns: 50 },
  );
});

const GOOD = maxMindFile({ networks: NETWORKS });

describe("what is refused", () => {
  it.each([
    ["nothing", Buffer.alloc(0), "x.mmdb is not a MaxMind database"],
    ["a web page", Buffer.from("<html>sign in to download</html>"), "x.mmdb is not a MaxMind database"],
    ["the beginning of one", GOOD.subarray(0, GOOD.length / 2), "x.mmdb is not a MaxMind database"],
    ["the end of one", GOOD.subarray(GOOD.length - 260), "x.mmdb is not a MaxMind database"],
    ["another version", maxMindFile({ networks: NETWORKS, metadata: { binary_format_major_version: 3 } }), "of a known kind"],
    ["another protocol", maxMindFile({ networks: NETWORKS, metadata: { ip_version: 5 } }), "of a known kind"],
    ["more nodes than bytes", maxMindFile({ networks: NETWORKS, metadata: { node_count: 1_000_000 } }), "is not a MaxMind database"],
    [
      "one of networks' owners",
      maxMindFile({ networks: { "198.51.100.0/24": { autonomous_system_number: 64_496 } }, type: "Test-ASN" }),
      "x.mmdb (Test-ASN) has no countries; name a database of countries or cities as gateway.viewers.country.database",
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => CountryDatabase.from(bytes, "x.mmdb")).toThrow(expect.objectContaining({ code: "country_database" }));
    expect(() => CountryDatabase.from(bytes, "x.mmdb")).toThrow(message);
  });

  it("a file that is not there", async () => {
    await expect(readCountryDatabase("nowhere.mmdb")).rejects.toMatchObject({ code: "country_database" });
    await expect(readCountryDatabase("nowhere.mmdb")).rejects.toThrow("nowhere.mmdb cannot be read");
  });
});

it("a record that cannot be read is not known, and nothing is thrown on the way of a request", () => {
  const bytes = maxMindFile({
    networks: { "198.51.100.0/24": country("SE"), "203.0.113.0/24": { country: { iso_code: "XX" } } },
    ipVersion: 4,
  });
  // An extended type that there is not, in the place of the second record's control byte.
  const at = bytes.lastIndexOf(Buffer.from([0xe1, 0x47]));
  const damaged = Buffer.from(bytes);
  damaged.set([0x00, 0x00], at);
  const database = CountryDatabase.from(damaged, "x.mmdb");
  expect(countryOf(database, "198.51.100.1")).toBe("SE");
  expect(countryOf(database, "203.0.113.1")).toBeNull();
});

it("is part of the configuration: watched, and another configuration when it is another file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "paircast-countries-"));
  try {
    const [file, config] = [join(folder, "countries.mmdb"), join(folder, "paircast.yaml")];
    const text = `regions: [{ name: one, streaming: "http://127.0.0.11:1" }]\ngateway: { viewers: { country: { database: ${file} } } }\n`;
    await writeFile(config, text);
    await writeFile(file, GOOD);
    const first = readConfig(config);
    expect(first.files).toEqual([config, file]);
    expect(readConfig(config).digest).toBe(first.digest);
    await writeFile(join(folder, "new"), GOOD);
    await rename(join(folder, "new"), file);
    expect(readConfig(config).digest).not.toBe(first.digest);
    await rm(file);
    expect(readConfig(config).files).toContain(file);
  } finally {
    await rm(folder, { recursive: true });
  }
});
