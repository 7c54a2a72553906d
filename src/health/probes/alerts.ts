/** Counts and logs what probes see that drains no region and yet wants somebody to act: once when it begins, once when it is over. */
import type { Service } from "../../core/contracts.ts";
import type { Log } from "../../core/log.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { ProbeEvents } from "./context.ts";

export interface AlertDeps {
  readonly log: Log;
  readonly metrics: Metrics;
}

export function probeAlerts({ log, metrics }: AlertDeps): ProbeEvents {
  const present = new Set<string>();
  const tell = (event: string, fields: { readonly region: string; readonly service: Service }, detail: string | null): void => {
    const name = `${event} ${fields.region} ${fields.service}`;
    if (present.has(name) === (detail !== null)) return;
    if (detail === null) {
      present.delete(name);
      log.info(`${event}_over`, fields);
    } else {
      present.add(name);
      log.warn(event, { ...fields, detail });
    }
  };
  return {
    unauthorized: (region, service, detail) => {
      if (detail !== null) metrics.probeUnauthorized(region, service);
      tell("health.probe_unauthorized", { region, service }, detail);
    },
    keyDisputed: (region, detail) => {
      metrics.keyDisputed(region, detail !== null);
      tell("health.key_disputed", { region, service: "keys" }, detail);
    },
  };
}
