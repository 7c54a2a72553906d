/** The `health` section of the configuration file. */
import { z } from "zod";
import { duration, durationFrom } from "./units.ts";

/** Return after a recovery, flapping, and what viewers say: how quickly health believes what it sees. */
const damping = z
  .strictObject({
    /** A second outage this soon after the last one is flapping; each such time that passes well takes one outage back. */
    window: durationFrom(1_000).prefault("5m"),
    /** How long a flapping service has to be well before it returns, doubled with each further outage; 0s: no damping. */
    base: duration.prefault("30s"),
    /** The longest that it is kept away. */
    cap: duration.prefault("5m"),
  })
  .prefault({});

const passive = z
  .strictObject({
    /** Different viewers that have to fail, and to outnumber those that succeed, before their failures count. */
    quorum: z.int().min(1).max(1_000).prefault(3),
    /** How long the last word of a viewer counts. */
    window: durationFrom(100).prefault("10s"),
  })
  .prefault({});

/** What makes a service that works degraded. */
const signals = z
  .strictObject({
    /** Remaining life of the TLS certificate below which it is a signal. */
    certificateWarn: duration.prefault("7d"),
    /** Difference between the region's clock and ours. */
    clockSkew: durationFrom(1_000).prefault("5s"),
    /** Time to the first byte. */
    firstByte: durationFrom(1).prefault("1s"),
    /** A segment has to arrive at this many times its variant's bitrate. */
    throughputFactor: z.number().min(0).max(100).prefault(1.2),
  })
  .prefault({});

export const healthSection = z.strictObject({
  interval: durationFrom(100).prefault("5s"),
  /** Interval while a change of state is pending. */
  fastInterval: durationFrom(50).prefault("1s"),
  timeout: durationFrom(50).prefault("2s"),
  /** Failures in a row until unhealthy; a definite refusal (nothing listens) needs one. Also the degraded successes in a row until degraded. */
  fall: z.int().min(1).max(20).prefault(2),
  /** Successes in a row until healthy again. */
  rise: z.int().min(1).max(20).prefault(3),
  /** Share of the interval by which probes come earlier, at random, 0 to 0.5. */
  jitter: z.number().min(0).max(0.5).prefault(0.1),
  /** Holds an idle connection to each service: its loss brings the next probe forward, and a refusal after it decides. */
  watch: z.boolean().prefault(true),
  /** Time over which a service that was unhealthy takes its viewers back; 0s: all at once. */
  ramp: duration.prefault("30s"),
  /** Share of its viewers with which it begins. */
  rampStart: z.number().min(0).max(1).prefault(0.1),
  damping,
  passive,
  signals,
});

export type HealthConfig = z.output<typeof healthSection>;
