/** The metrics of the queue of work that workers share. */
import { Gauge, type Registry } from "prom-client";

export class WorkMetrics {
  readonly #pending: Gauge;
  readonly #dead: Gauge;

  constructor(registry: Registry) {
    const gauge = (name: string, help: string): Gauge =>
      new Gauge({ name: `paircast_work_${name}`, help, registers: [registry], aggregator: "first" });
    this.#pending = gauge("pending", "Pieces of work in the queue, those that are hidden or in hand among them.");
    this.#dead = gauge("dead_letters", "Pieces of work that no worker could finish, counted up to a thousand.");
    this.queue(0, 0);
  }

  queue(pending: number, deadLetters: number): void {
    this.#pending.set(pending);
    this.#dead.set(deadLetters);
  }
}
