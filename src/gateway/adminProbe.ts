/** `/probe?target=&module=`: one probe on demand in Prometheus' text format, with blackbox_exporter's names, so that its dashboards and alerts fit. */
import { Hono, type Context } from "hono";
import { Gauge, Registry } from "prom-client";
import { FAILURE_REASONS } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import type { ProbeOnDemand, ProbeReport } from "../core/ports/health.ts";

export interface AdminProbeDeps {
  readonly probes: ProbeOnDemand;
  readonly failure: (context: Context, status: 400 | 503, error: string, message: string) => Response;
}

const DEFAULT_MODULE = "http";
/** Where the scraper does not say how long it waits; blackbox_exporter's own figures. */
const TIMEOUT_MS = 10_000;
const LONGEST_MS = 60_000;
/** For the way back to a scraper that does. */
const RESERVE_MS = 500;
/** Each may hold a segment. */
const AT_A_TIME = 16;

export function adminProbe({ probes, failure }: AdminProbeDeps): Hono {
  const app = new Hono();
  let running = 0;
  app.get("/probe", async (context) => {
    const { target, module = DEFAULT_MODULE } = context.req.query();
    if (target === undefined) return failure(context, 400, "no_target", "name what to probe with ?target=");
    if (!probes.modules.includes(module)) return failure(context, 400, "unknown_module", `module is one of ${probes.modules.join(", ")}`);
    if (running >= AT_A_TIME) return failure(context, 503, "too_many_probes", "as many probes as allowed are running");
    running += 1;
    try {
      const timeoutMs = timeoutOf(context.req.header("x-prometheus-scrape-timeout-seconds"));
      const report = await probes.probe(module, target, timeoutMs, context.req.raw.signal);
      const registry = registryOf(report);
      return context.body(await registry.metrics(), 200, { "content-type": registry.contentType });
    } catch (error) {
      if (error instanceof PaircastError && (error.code === "probe_target" || error.code === "not_configured"))
        return failure(context, 400, error.code, error.message);
      throw error;
    } finally {
      running -= 1;
    }
  });
  return app;
}

function timeoutOf(scrape: string | undefined): number {
  const seconds = Number(scrape ?? Number.NaN);
  if (!Number.isFinite(seconds) || seconds <= 0) return TIMEOUT_MS;
  return Math.min(LONGEST_MS, Math.max(RESERVE_MS, seconds * 1000 - RESERVE_MS));
}

/** A registry for this probe alone: nothing of one target is left over in the answer for another. */
function registryOf(report: ProbeReport): Registry {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: number): void => {
    new Gauge({ name, help, registers }).set(value);
  };
  gauge("probe_success", "1 if the probe succeeded, else 0.", report.success ? 1 : 0);
  gauge("probe_duration_seconds", "How long the probe took.", report.durationSeconds);
  gauge("probe_http_status_code", "Status of the last answer; 0 where there was none.", report.statusCode ?? 0);
  const help = "Duration of each step of the probe that was reached.";
  const phases = new Gauge({ name: "probe_http_duration_seconds", help, labelNames: ["phase"], registers });
  for (const [phase, seconds] of Object.entries(report.phases)) phases.set({ phase }, seconds);
  if (report.tlsExpiry !== null) gauge("probe_ssl_earliest_cert_expiry", "When the certificate ends, in unix time.", report.tlsExpiry);
  for (const reason of FAILURE_REASONS)
    gauge(`probe_failed_due_to_${reason}`, "1 if the probe failed for this reason.", report.failureReason === reason ? 1 : 0);
  return registry;
}
