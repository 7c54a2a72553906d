/** Countries of addresses, from a file in MaxMind's DB format (GeoLite2-Country and -City, DB-IP, IPinfo and others). The whole file is held in memory. */
import { readFile } from "node:fs/promises";
import { LRUCache } from "lru-cache";
import { Reader, type CountryResponse } from "maxmind";
import type { Address } from "./address.ts";
import { PaircastError } from "./errors.ts";
import type { CountryReader } from "./ports/http.ts";

/** Different records are few, hundreds for countries; a database of cities keeps what was asked for lately. */
const CACHED_RECORDS = 4_096;
/** Networks that are looked at before a database counts as one without countries: the first of all begin with reserved ones. */
const SAMPLED_NETWORKS = 4_096;
const MAPPED_GROUPS = 6;
const COUNTRY = /^[A-Z]{2}$/;

type MaxMind = Pick<Reader<CountryResponse>, "metadata" | "get" | "getWithPrefixLength">;

export class CountryDatabase implements CountryReader {
  readonly #reader: MaxMind;
  /** What kind of database it says it is, for people. */
  readonly type: string;
  /** When it was made, epoch milliseconds. */
  readonly builtAt: number;

  private constructor(reader: MaxMind) {
    this.#reader = reader;
    this.type = reader.metadata.databaseType;
    this.builtAt = reader.metadata.buildEpoch.getTime();
  }

  /** `file` names the database in messages. Throws `country_database` for bytes that are no such database, or one that knows no countries. */
  static from(bytes: Buffer, file: string): CountryDatabase {
    const reader = readerOf(bytes, file);
    if (!knowsCountries(reader)) {
      const what = `${file} (${reader.metadata.databaseType}) has no countries`;
      throw new PaircastError("country_database", `${what}; name a database of countries or cities as gateway.viewers.country.database`);
    }
    return new CountryDatabase(reader);
  }

  /** A record that is damaged is not known: routing goes on without it. */
  country(address: Address): string | null {
    const mapped = isMapped(address);
    if (!mapped && this.#reader.metadata.ipVersion === 4) return null;
    try {
      return countryIn(this.#reader.get(mapped ? dotted(address) : colons(address)));
    } catch {
      return null;
    }
  }
}

/** Reads and checks the database. Throws `country_database`, also where the file cannot be read. */
export async function readCountryDatabase(file: string): Promise<CountryDatabase> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const message = `${file} cannot be read; name a database file as gateway.viewers.country.database`;
    throw new PaircastError("country_database", message, { cause });
  }
  return CountryDatabase.from(bytes, file);
}

function readerOf(bytes: Buffer, file: string): MaxMind {
  const hint = "name a .mmdb file as gateway.viewers.country.database, unpacked";
  try {
    const reader = new Reader<CountryResponse>(bytes, { cache: new LRUCache<string | number, object>({ max: CACHED_RECORDS }) });
    if (isSound(reader, bytes.length)) return reader;
  } catch (cause) {
    throw new PaircastError("country_database", `${file} is not a MaxMind database; ${hint}`, { cause });
  }
  throw new PaircastError("country_database", `${file} is not a MaxMind database of a known kind, or is cut off; ${hint}`);
}

/** MaxMind DB 2.0: the tree, sixteen zero bytes, the data, the metadata. The reader believes the metadata as they are. */
function isSound({ metadata }: MaxMind, length: number): boolean {
  const { binaryFormatMajorVersion, ipVersion, nodeCount, searchTreeSize, databaseType, buildEpoch } = metadata;
  if (binaryFormatMajorVersion !== 2 || (ipVersion !== 4 && ipVersion !== 6)) return false;
  if (typeof databaseType !== "string" || Number.isNaN(buildEpoch.getTime())) return false;
  return Number.isInteger(nodeCount) && nodeCount > 0 && searchTreeSize + 16 < length;
}

function knowsCountries(reader: MaxMind): boolean {
  try {
    const inIpv4 = someCountry(reader, 32, 0n, (at) => dotted([0, 0, 0, 0, 0, 0, Number(at >> 16n), Number(at & 0xffffn)]));
    return inIpv4 || (reader.metadata.ipVersion === 6 && someCountry(reader, 128, 0x2000n << 112n, (at) => colons(groupsOf(at))));
  } catch {
    return false;
  }
}

/** Goes from network to network, beginning at `from`. */
function someCountry(reader: MaxMind, bits: number, from: bigint, text: (at: bigint) => string): boolean {
  let at = from;
  for (let seen = 0; seen < SAMPLED_NETWORKS && at >> BigInt(bits) === 0n; seen += 1) {
    const [record, prefix] = reader.getWithPrefixLength(text(at));
    if (countryIn(record) !== null) return true;
    const rest = BigInt(bits - prefix);
    at = ((at >> rest) + 1n) << rest;
  }
  return false;
}

/** MaxMind and DB-IP: `country.iso_code`, and where the viewer's is not known that of the network's owner. IPinfo: two letters by themselves. */
function countryIn(record: unknown): string | null {
  for (const name of ["country", "country_code", "registered_country"]) {
    const value = property(record, name);
    const code = typeof value === "string" ? value : property(value, "iso_code");
    if (typeof code === "string" && COUNTRY.test(code)) return code;
  }
  return null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function isMapped(address: Address): boolean {
  for (let at = 0; at < MAPPED_GROUPS; at += 1) if (address[at] !== (at === 5 ? 0xffff : 0)) return false;
  return true;
}

function dotted(address: Address): string {
  const [high = 0, low = 0] = address.slice(MAPPED_GROUPS);
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

function colons(address: Address): string {
  return address.map((group) => group.toString(16)).join(":");
}

function groupsOf(bits: bigint): Address {
  return Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(112 - at * 16)) & 0xffffn));
}
