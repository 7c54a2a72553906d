/**
 * What is recorded with every request. prom-client makes a key of the labels at each call, some 300 ns; here recording is an addition to an
 * array, and labels are met when somebody scrapes.
 */
import type { MetricObjectWithValues, MetricValueWithName, Registry } from "prom-client";

type Labels = Readonly<Record<string, string>>;

/** Counts by number; `drain` hands them over, to be added to a counter. */
export class Tally {
  readonly labels: readonly Labels[];
  readonly #counts: number[];

  constructor(labels: readonly Labels[]) {
    this.labels = labels;
    this.#counts = labels.map(() => 0);
  }

  /** Of a number that there is not, nothing is kept. */
  count(index: number): void {
    const count = this.#counts[index];
    if (count !== undefined) this.#counts[index] = count + 1;
  }

  drain(add: (labels: Labels, count: number) => void): void {
    for (const [index, count] of this.#counts.entries()) {
      const labels = this.labels[index];
      if (count > 0 && labels !== undefined) add(labels, count);
    }
    this.#counts.fill(0);
  }
}

interface FlatHistogramOptions {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  /** One series each, numbered in this order. */
  readonly labels: readonly Labels[];
  /** Upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[];
}

/** A histogram in two plain arrays, registered beside prom-client's own. */
export class FlatHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly #labels: readonly Labels[];
  readonly #bounds: readonly number[];
  /** Per series a count for each bound, and one for what lies above. Not cumulative. */
  readonly #counts: number[];
  readonly #sums: number[];

  constructor({ registry, name, help, labels, bounds }: FlatHistogramOptions) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = labels.flatMap(() => Array<number>(bounds.length + 1).fill(0));
    this.#sums = labels.map(() => 0);
    // Its type asks for one of prom-client's own classes; its code, for a name and `get`.
    registry.registerMetric(this as never);
  }

  observe(series: number, value: number): void {
    const sum = this.#sums[series];
    if (sum === undefined) return;
    this.#sums[series] = sum + value;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    const index = series * (bounds.length + 1) + bucket;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sums.fill(0);
  }

  get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const values = this.#labels.flatMap((labels, series) => this.#exposed(labels, series));
    return Promise.resolve({
      name: this.name,
      help: this.help,
      type: this.type as never,
      aggregator: "sum",
      values,
      collect: () => undefined,
    });
  }

  #exposed(labels: Labels, series: number): MetricValueWithName<string>[] {
    const width = this.#bounds.length + 1;
    let total = 0;
    const buckets = [...this.#bounds, "+Inf"].map((le, bucket) => {
      total += this.#counts[series * width + bucket] ?? 0;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: total };
    });
    const sum = { metricName: `${this.name}_sum`, labels, value: this.#sums[series] ?? 0 };
    return [...buckets, sum, { metricName: `${this.name}_count`, labels, value: total }];
  }
}
