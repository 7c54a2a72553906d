/** A snapshot as text, and back: what is kept of health, and for how long it is believed. */
import { z } from "zod";
import { FAILURE_REASONS, HEALTH_STATUSES, SERVICES, type HealthSnapshot, type Service, type ServiceHealth } from "../core/contracts.ts";

/** What was known this long ago says nothing about now. */
export const REMEMBERED_MS = 600_000;

const remembered = z.object({
  status: z.enum(HEALTH_STATUSES),
  since: z.number(),
  reason: z.enum(FAILURE_REASONS).nullable(),
  detail: z.string().nullable(),
  checkedAt: z.number().nullable(),
});
const snapshots = z.object({
  takenAt: z.number(),
  regions: z.record(z.string(), z.partialRecord(z.enum(SERVICES), remembered)),
});
type Remembered = z.infer<typeof remembered>;

/** Null where the text is too old to be believed at `now`, or no snapshot. */
export function rememberedSnapshot(text: string, now: number): HealthSnapshot | null {
  const parsed = snapshots.safeParse(jsonOrNull(text));
  if (!parsed.success || Math.abs(now - parsed.data.takenAt) > REMEMBERED_MS) return null;
  const { takenAt, regions } = parsed.data;
  return { takenAt, regions: mapServices(regions, (health: Remembered): ServiceHealth => ({ ...health, pending: 0 })) };
}

export function snapshotText({ takenAt, regions }: HealthSnapshot): string {
  const kept = mapServices(regions, ({ status, since, reason, detail, checkedAt }: ServiceHealth): Remembered => {
    // Why a change is pending passes with the change.
    const stands = status === "unhealthy";
    return { status, since, reason: stands ? reason : null, detail: stands ? detail : null, checkedAt };
  });
  return JSON.stringify({ takenAt, regions: kept });
}

type ByService<T> = Readonly<Partial<Record<Service, T>>>;

function mapServices<T, U>(regions: Readonly<Record<string, ByService<T>>>, map: (of: T) => U): Record<string, ByService<U>> {
  const mapped = (services: ByService<T>): ByService<U> =>
    Object.fromEntries(SERVICES.flatMap((service) => (services[service] === undefined ? [] : [[service, map(services[service])]])));
  return Object.fromEntries(Object.entries(regions).map(([name, services]) => [name, mapped(services)]));
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
