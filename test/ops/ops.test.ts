/** Dashboard and alert rules speak of series that there are. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { Metrics } from "../../src/core/metrics.ts";
import { dashboardQueries, readDashboard, readRules, seriesIn } from "./promql.ts";

const text = async (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

/** Names of all series, a histogram's three included. */
async function known(): Promise<Set<string>> {
  const metrics = new Metrics({ version: "0", regions: [{ name: "west", keys: true }] });
  const own = await metrics.registry.getMetricsAsJSON();
  const series = own.flatMap(({ name, type }) =>
    String(type) === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const recorded = (await readRules()).flatMap(({ record }) => record ?? []);
  const probed = (await text("src/gateway/adminProbe.ts")).match(/probe_\w+/g) ?? [];
  return new Set([...series, ...recorded, ...probed, "up"]);
}

/** The labels that a series of ours may have. */
async function labels(): Promise<Map<string, Set<string>>> {
  const metrics = new Metrics({ version: "0", regions: [{ name: "west", keys: true }] });
  const found = new Map<string, Set<string>>();
  for (const { name, values } of await metrics.registry.getMetricsAsJSON()) {
    found.set(name, new Set(values.flatMap((value) => Object.keys(value.labels))));
  }
  return found;
}

describe("the queries", () => {
  test("of the dashboard read series that are exposed", async () => {
    const names = await known();
    const queries = await dashboardQueries();
    expect(queries.length).toBeGreaterThan(20);
    for (const { where, expr } of queries) {
      expect(seriesIn(expr), where).not.toEqual([]);
      for (const name of seriesIn(expr)) expect(names, `${where}: ${name}`).toContain(name);
    }
  });

  test("of the rules read series that are exposed", async () => {
    const names = await known();
    for (const { alert, record, expr } of await readRules()) {
      expect(seriesIn(expr)).not.toEqual([]);
      for (const name of seriesIn(expr)) expect(names, `${alert ?? record}: ${name}`).toContain(name);
    }
  });

  test("select by labels that the series have", async () => {
    const found = await labels();
    const queries = [
      ...(await dashboardQueries()),
      ...(await readRules()).map(({ alert, record, expr }) => ({ where: alert ?? record ?? "", expr })),
    ];
    for (const { where, expr } of queries) {
      for (const [, name = "", selector = ""] of expr.matchAll(/\b(paircast_\w+)\{([^}]*)\}/g)) {
        const has = found.get(name) ?? found.get(name.replace(/_(bucket|sum|count)$/, ""));
        const asked = [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label);
        for (const label of asked) expect([...(has ?? []), "job", "instance"], `${where}: ${name}`).toContain(label);
      }
    }
  });

  test("a name that is not there would be found", async () => {
    expect(await known()).not.toContain("paircast_service_states");
    expect(seriesIn('sum by (origin) (rate(paircast_service_states{origin="up"}[5m])) / probe_x')).toEqual([
      "paircast_service_states",
      "probe_x",
    ]);
  });
});

describe("the dashboard", () => {
  test("has panels with ids of their own, which do not lie over one another", async () => {
    const { panels } = await readDashboard();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken, title).not.toContain(`${x},${y}`);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  test("can be narrowed to a region, and every variable it uses is one of its own", async () => {
    const { templating } = await readDashboard();
    const variables = templating.list.map(({ name }) => name);
    expect(variables).toEqual(["datasource", "job", "instance", "origin"]);
    const used = (await text("ops/grafana-dashboard.json")).matchAll(/\$\{?(\w+)/g);
    for (const [, name = ""] of used) expect([...variables, "__rate_interval"]).toContain(name);
  });
});

describe("the alerts", () => {
  test("are named for paircast, weighed, and explained", async () => {
    const alerts = (await readRules()).filter(({ alert }) => alert !== undefined);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert = "", labels: has, annotations } of alerts) {
      expect(alert).toMatch(/^Paircast([A-Z][a-z]+)+$/);
      expect(["critical", "warning", "info"]).toContain(has?.["severity"]);
      expect(Object.keys(annotations ?? {})).toEqual(["summary", "description"]);
    }
  });

  test("each have a test and a line in the operator's guide", async () => {
    const tests = parse(await text("ops/alerts.test.yaml")) as {
      tests: { alert_rule_test?: { alertname: string; exp_alerts?: unknown[] }[] }[];
    };
    const fired = tests.tests.flatMap(({ alert_rule_test = [] }) =>
      alert_rule_test.filter(({ exp_alerts = [] }) => exp_alerts.length > 0).map(({ alertname }) => alertname),
    );
    const guide = await text("docs/operations.md");
    for (const { alert } of await readRules()) {
      if (alert === undefined) continue;
      expect(fired).toContain(alert);
      expect(guide).toContain(`\`${alert}\``);
    }
  });
});
