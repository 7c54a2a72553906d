/** The metrics by name, help and labels. What records them is `metrics.ts`. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Makers of instruments under the project's prefix. */
function makers(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `paircast_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    // Where several processes count for one, the one that probes knows the gauges, and comes first.
    new Gauge({ name: `paircast_${name}`, help, labelNames, registers, aggregator: "first" });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram({ name: `paircast_${name}`, help, labelNames, buckets, registers });
  return { counter, gauge, histogram };
}

/** All instruments but those of requests (`requestMetrics.ts`). */
export function instruments(registry: Registry, droppedLines: () => number) {
  const { counter, gauge } = makers(registry);
  return {
    buildInfo: gauge("build_info", "Always 1; the version in labels.", ["version", "node"]),
    rejections: counter("rejections_total", "Requests refused at the front door.", ["reason"]),
    upstreamFailures: counter("upstream_failures_total", "Requests of the gateway's own to a region that failed.", [
      "origin",
      "service",
      "reason",
    ]),
    clientGone: counter("client_gone_total", "Requests whose client went away before the answer.", []),
    workersEnded: counter("worker_ended_total", "Worker processes that ended unasked; others took their place.", []),
    droppedLines: new Counter({
      name: "paircast_log_dropped_lines_total",
      help: "Log lines that were lost because nobody read them fast enough.",
      registers: [registry],
      collect() {
        this.reset();
        this.inc(droppedLines());
      },
    }),
    failOpenActive: gauge("failopen_active", "1 while no region is eligible for the service and the least bad one is used.", ["service"]),
    ...healthInstruments(registry),
    jobs: counter("replication_jobs_total", "Replication jobs that ended, by result.", ["target", "result"]),
    copiedBlobs: counter("replication_copied_blobs_total", "Blobs copied.", ["target"]),
    copiedBytes: counter("replication_copied_bytes_total", "Bytes copied.", ["target"]),
    lastPass: gauge("replication_last_pass_timestamp_seconds", "When the last complete replication pass ended; 0 before the first.", []),
    catalogued: gauge("catalogue_locators", "Locators verified in a region.", ["origin"]),
    overrideActive: gauge("override_active", "1 while an operator's override is in force, else 0.", ["origin", "service", "kind"]),
    overrideExpires: gauge("override_expires_timestamp_seconds", "When the override in force ends; 0 where there is none.", [
      "origin",
      "service",
      "kind",
    ]),
    configSuccessful: gauge("config_last_reload_successful", "1 if the newest configuration file was taken up, 0 if it was refused.", []),
    configLoadedAt: gauge("config_last_reload_success_timestamp_seconds", "When a configuration was last taken up.", []),
    configAwaiting: gauge(
      "config_settings_awaiting_restart",
      "Changed settings that take effect only when the process is started again.",
      [],
    ),
  };
}

function healthInstruments(registry: Registry) {
  const { counter, gauge, histogram } = makers(registry);
  return {
    serviceState: gauge("service_state", "1 for the present state of a service of a region, else 0.", ["origin", "service", "state"]),
    serviceShare: gauge("service_share", "Share of its viewers that a service may have: less than 1 while it returns after an outage.", [
      "origin",
      "service",
    ]),
    serviceHeld: gauge("service_held", "1 while a flapping service is kept unhealthy although its probes may succeed, else 0.", [
      "origin",
      "service",
    ]),
    serviceSignal: gauge("service_signal", "1 while the signal speaks against a service that works, else 0.", [
      "origin",
      "service",
      "kind",
    ]),
    watchLosses: counter("watch_losses_total", "Watched idle connections that were lost, by what connecting again showed.", [
      "origin",
      "service",
      "result",
    ]),
    transitions: counter("service_state_changes_total", "Changes of state, by the state entered.", ["origin", "service", "to"]),
    probes: counter("probes_total", "Health probes, by result.", ["origin", "service", "result"]),
    probeDuration: histogram(
      "probe_duration_seconds",
      "Duration of a whole probe.",
      ["origin", "service"],
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ),
    probeFailures: counter("probe_failures_total", "Failed health probes, by reason.", ["origin", "service", "reason"]),
    probeUnauthorized: counter("probe_unauthorized_total", "Health probes whose token was refused although it should be good.", [
      "origin",
      "service",
    ]),
    keyDisputed: gauge("key_disputed", "1 while regions answer different keys and nothing says which is right, else 0.", [
      "origin",
      "service",
    ]),
  };
}
