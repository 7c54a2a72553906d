/** Metrics of several processes as those of one. */
import { AggregatorRegistry, type Registry } from "prom-client";
import type { MetricsDump } from "./messages.ts";

/** Counters and histograms are summed; of gauges each metric says itself what becomes of them: most are those of `own`. */
export async function mergedMetrics(own: Registry, others: readonly MetricsDump[]): Promise<string> {
  return AggregatorRegistry.aggregate([await own.getMetricsAsJSON(), ...others]).metrics();
}

/** What a registry has, without what cannot go to another process. */
export async function dumpOf(registry: Registry): Promise<MetricsDump> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(
    ({ name, help, type, aggregator, values }) => ({ name, help, type, aggregator, values: values.map(plain) }) as MetricsDump[number],
  );
}

function plain<V extends object>(value: V): V {
  return { ...value };
}

/** The sum of what ended processes have counted, with one more of them. What a process is (memory, event loop) ends with it. */
export function summed(departed: readonly MetricsDump[], dump: MetricsDump): MetricsDump[] {
  const counted = dump.filter(({ name, type }) => isCounter(String(type)) && !/^paircast_(?:process|nodejs)_/.test(name));
  if (counted.length === 0) return [...departed];
  // Aggregated metrics are plain objects, whose values are there at once.
  const registry = AggregatorRegistry.aggregate([...departed, counted]);
  return [registry.getMetricsAsArray() as MetricsDump];
}

function isCounter(type: string): boolean {
  return type === "counter" || type === "histogram";
}
