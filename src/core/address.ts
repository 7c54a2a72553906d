/**
 * IP addresses and networks. Pure. An IPv4 address is held as its IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), because that is how a
 * dual-stack socket shows it.
 */

/** Eight groups of 16 bits. */
export type Address = readonly number[];

export interface Network {
  readonly address: Address;
  /** Length of the prefix, 0 to 128. */
  readonly bits: number;
}

const GROUPS = 8;
const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0xffff];
const MAPPED_BITS = 96;
const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`, with or without a zone (`%eth0`); null for anything else. */
export function parseAddress(text: string): Address | null {
  const cut = text.indexOf("%");
  const bare = cut < 0 ? text : text.slice(0, cut);
  if (!bare.includes(":")) {
    const pair = ipv4Groups(bare);
    return pair === null ? null : [...MAPPED, ...pair];
  }
  return bare.length > 45 ? null : ipv6Groups(bare);
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Null for anything else, and where bits are set behind the prefix. */
export function parseNetwork(text: string): Network | null {
  const [host = "", length, ...rest] = text.split("/");
  const address = parseAddress(host);
  if (address === null || rest.length > 0 || host.includes("%")) return null;
  if (length === undefined) return { address, bits: 128 };
  if (!OCTET.test(length)) return null;
  const bits = Number(length) + (host.includes(":") ? 0 : MAPPED_BITS);
  if (bits > 128) return null;
  const network = { address, bits };
  return address.every((group, at) => (group & ~maskOf(bits, at)) === 0) ? network : null;
}

export function inNetwork(address: Address, network: Network): boolean {
  for (let at = 0; at < GROUPS && at * 16 < network.bits; at += 1) {
    if ((((address[at] ?? 0) ^ (network.address[at] ?? 0)) & maskOf(network.bits, at)) !== 0) return false;
  }
  return true;
}

/** True where every address of `inner` is in `outer`. */
export function covers(outer: Network, inner: Network): boolean {
  return inner.bits >= outer.bits && inNetwork(inner.address, outer);
}

/** The mask of one group under a prefix of so many bits. */
function maskOf(bits: number, group: number): number {
  const own = Math.min(Math.max(bits - group * 16, 0), 16);
  return (0xffff << (16 - own)) & 0xffff;
}

/** No leading zeros: some parsers read them as octal. */
function ipv4Groups(text: string): readonly [number, number] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => OCTET.test(part) && Number(part) <= 255)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

function ipv6Groups(text: string): Address | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "", true) : [];
  if (head === null || tail === null) return null;
  const left = GROUPS - head.length - tail.length;
  if (halves.length === 1 ? left !== 0 : left < 1) return null;
  return [...head, ...Array.from({ length: left }, () => 0), ...tail];
}

/** Groups between colons; the last may be a dotted IPv4 address where the text ends with it. */
function groupsOf(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    const dotted = last && at === parts.length - 1 && part.includes(".") ? ipv4Groups(part) : null;
    if (dotted !== null) groups.push(...dotted);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}
