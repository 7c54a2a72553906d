/** Writes a database in MaxMind's DB format 2.0 (https://maxmind.github.io/MaxMind-DB/): tree, separator, data, metadata. */
import { covers, parseNetwork, type Network } from "../../src/core/address.ts";

/** A value of the data section. */
export type Value = string | number | boolean | { readonly [name: string]: Value } | readonly Value[];

export interface MaxMindOptions {
  /** Network -> its record. Smaller networks may lie in larger ones. */
  readonly networks: Readonly<Record<string, Value>>;
  /** Default 6. */
  readonly ipVersion?: 4 | 6;
  /** Bits of a record of the tree; default 24. */
  readonly recordSize?: 24 | 28 | 32;
  readonly type?: string;
  /** Fields of the metadata to be other than they should. */
  readonly metadata?: Readonly<Record<string, Value>>;
}

type Node = [Child, Child];
/** A node, a data record by its index, or nothing. */
type Child = Node | number | null;

const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
/** An IPv4 address is held as mapped (::ffff:0:0/96), and in the tree of an IPv6 database it begins at ::/96. */
const MAPPED_BITS = 96;

export function maxMindFile(options: MaxMindOptions): Buffer {
  const { ipVersion = 6, recordSize = 24, type = "Test-Country" } = options;
  const texts = Object.keys(options.networks);
  const { root, nodes } = treeOf(options.networks, ipVersion);
  const records = texts.map((text) => encoded(options.networks[text] ?? {}));
  const offsets = records.map((_, at) => records.slice(0, at).reduce((sum, { length }) => sum + length, 0));
  const pointer = (child: Child): number => {
    if (child === null) return nodes.length;
    if (typeof child === "number") return nodes.length + 16 + (offsets[child] ?? 0);
    return nodes.indexOf(child);
  };
  if (nodes[0] !== root) throw new Error("the root comes first");
  const metadata = encoded({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: type,
    description: { en: "made for a test" },
    ip_version: ipVersion,
    languages: ["en"],
    node_count: nodes.length,
    record_size: recordSize,
    ...options.metadata,
  });
  const tree = nodes.map(([left, right]) => nodeBytes(pointer(left), pointer(right), recordSize));
  return Buffer.concat([...tree, Buffer.alloc(16), ...records, MARKER, metadata]);
}

/** Larger networks first, so that smaller ones take their part out of them. */
function treeOf(networks: MaxMindOptions["networks"], ipVersion: 4 | 6): { readonly root: Node; readonly nodes: readonly Node[] } {
  const root: Node = [null, null];
  const nodes: Node[] = [root];
  const sorted = Object.keys(networks)
    .map((text, record) => ({ network: networkOf(text), record }))
    .toSorted((one, other) => one.network.bits - other.network.bits);
  for (const { network, record } of sorted) {
    const bits = bitsIn(network, ipVersion);
    let node = root;
    for (const bit of bits.slice(0, -1)) {
      const child = node[bit];
      const next: Node = Array.isArray(child) ? child : [child ?? null, child ?? null];
      if (next !== child) nodes.push(next);
      node[bit] = next;
      node = next;
    }
    node[bits.at(-1) ?? 0] = record;
  }
  return { root, nodes };
}

function networkOf(text: string): Network {
  const network = parseNetwork(text);
  if (network === null) throw new Error(`${text} is no network`);
  return network;
}

const MAPPED: Network = { address: [0, 0, 0, 0, 0, 0xffff, 0, 0], bits: MAPPED_BITS };

/** The way from the root to the network. */
function bitsIn(network: Network, ipVersion: 4 | 6): (0 | 1)[] {
  const all = network.address.flatMap((group) => Array.from({ length: 16 }, (_, at) => ((group >> (15 - at)) & 1) as 0 | 1));
  const way = all.slice(0, network.bits);
  if (!covers(MAPPED, network)) return way;
  const own = way.slice(MAPPED_BITS);
  return ipVersion === 4 ? own : [...Array.from({ length: MAPPED_BITS }, () => 0 as const), ...own];
}

function nodeBytes(left: number, right: number, recordSize: 24 | 28 | 32): Buffer {
  const node = Buffer.alloc(recordSize / 4);
  if (recordSize === 32) {
    node.writeUInt32BE(left, 0);
    node.writeUInt32BE(right, 4);
    return node;
  }
  const middle = recordSize === 28 ? 1 : 0;
  node.writeUIntBE(left & 0xffffff, 0, 3);
  node.writeUIntBE(right & 0xffffff, 3 + middle, 3);
  // The upper four bits of both records share the byte between them.
  if (middle === 1) node[3] = ((left >>> 24) << 4) | (right >>> 24);
  return node;
}

const EXTENDED = 0;
const TYPES = { text: 2, double: 3, uint32: 6, map: 7, array: 11, boolean: 14 } as const;

function encoded(value: Value): Buffer {
  if (typeof value === "string") return sized(TYPES.text, Buffer.from(value));
  if (typeof value === "boolean") return control(TYPES.boolean, value ? 1 : 0);
  if (typeof value === "number") return encodedNumber(value);
  if (Array.isArray(value)) return Buffer.concat([control(TYPES.array, value.length), ...value.map(encoded)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(TYPES.map, entries.length), ...entries.flatMap(([name, each]) => [encoded(name), encoded(each)])]);
}

function encodedNumber(value: number): Buffer {
  const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
  if (bytes.length === 4) bytes.writeUInt32BE(value);
  else bytes.writeDoubleBE(value);
  return sized(bytes.length === 4 ? TYPES.uint32 : TYPES.double, bytes);
}

function sized(type: number, content: Buffer): Buffer {
  return Buffer.concat([control(type, content.length), content]);
}

/** Type and size; sizes from 29 on stand in a byte of their own, which is as far as this goes. */
function control(type: number, size: number): Buffer {
  if (size > 29 + 255) throw new Error(`${size} is more than this writes`);
  const small = Math.min(size, 29);
  const rest = size < 29 ? [] : [size - 29];
  return Buffer.from(type < 8 ? [(type << 5) | small, ...rest] : [(EXTENDED << 5) | small, type - 7, ...rest]);
}
