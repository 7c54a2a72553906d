/** What speaks against a service that works: certificate, clock, first byte, throughput. Pure. */
import type { Signal } from "../../core/contracts.ts";

/** Durations in milliseconds; `health.signals` of the configuration. */
export interface SignalLimits {
  /** Remaining life of the certificate. */
  readonly certificateWarn: number;
  readonly clockSkew: number;
  readonly firstByte: number;
  /** Of the variant's bitrate. */
  readonly throughputFactor: number;
}

export interface Measured {
  /** Remaining life of the certificate in milliseconds; null without TLS. */
  readonly certificateLeft: number | null;
  /** The server's clock less ours, in milliseconds; null where it does not say. */
  readonly skew: number | null;
  readonly slowest: { readonly what: string; readonly firstByteMs: number } | null;
  readonly reads: readonly SegmentRead[];
}

export interface SegmentRead {
  readonly what: string;
  /** Bits per second; null where the manifest does not say. */
  readonly bitrate: number | null;
  readonly bytes: number;
  /** From the first byte to the last. */
  readonly transferMs: number;
}

/** Less than this, or faster than this, says more about packets than about the server. */
const LEAST_BYTES = 16 * 1024;
const LEAST_MS = 50;
/** The Date field has whole seconds. */
const DATE_RESOLUTION_MS = 1_000;
const DAY_MS = 86_400_000;

export function signalsOf({ certificateLeft, skew, slowest, reads }: Measured, limits: SignalLimits): Signal[] {
  const signals: Signal[] = [];
  if (certificateLeft !== null && certificateLeft < limits.certificateWarn)
    signals.push({
      kind: "certificate",
      detail: `the certificate ends in ${days(certificateLeft)}, limit ${days(limits.certificateWarn)}`,
    });
  if (skew !== null && Math.abs(skew) > limits.clockSkew + DATE_RESOLUTION_MS)
    signals.push({
      kind: "clock",
      detail: `its clock is ${seconds(Math.abs(skew))} ${skew < 0 ? "behind" : "ahead"}, limit ${seconds(limits.clockSkew)}`,
    });
  if (slowest !== null && slowest.firstByteMs > limits.firstByte)
    signals.push({
      kind: "first_byte",
      detail: `${slowest.what}: first byte after ${seconds(slowest.firstByteMs)}, limit ${seconds(limits.firstByte)}`,
    });
  return [...signals, ...reads.flatMap((read) => slow(read, limits.throughputFactor)).slice(0, 1)];
}

function slow({ what, bitrate, bytes, transferMs }: SegmentRead, factor: number): Signal[] {
  if (bitrate === null || bytes < LEAST_BYTES || transferMs < LEAST_MS) return [];
  const rate = (bytes * 8_000) / transferMs;
  if (rate >= factor * bitrate) return [];
  return [{ kind: "throughput", detail: `${what}: ${kilobits(rate)}, limit ${factor} times its ${kilobits(bitrate)}` }];
}

function days(ms: number): string {
  return `${(ms / DAY_MS).toFixed(1)} days`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function kilobits(bitsPerSecond: number): string {
  return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
}
