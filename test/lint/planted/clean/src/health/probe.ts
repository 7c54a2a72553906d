import type { Service } from "../core/contracts.ts";

export interface Clock {
  now(): number;
}

export function probedAt(clock: Clock, service: Service): string {
  return `${service} ${new Date(clock.now()).toISOString()}`;
}
