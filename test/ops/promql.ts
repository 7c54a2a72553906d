/** The queries of the dashboard and of the alert rules, and the names of series in them. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";

const ops = new URL("../../ops/", import.meta.url);

export interface Query {
  /** Panel or rule, for messages. */
  readonly where: string;
  readonly expr: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(new URL("grafana-dashboard.json", ops), "utf8")) as Dashboard;
}

export async function readRules(): Promise<Rule[]> {
  const file = parse(await readFile(new URL("alerts.yaml", ops), "utf8")) as { groups: { rules: Rule[] }[] };
  return file.groups.flatMap(({ rules }) => rules);
}

/** Every query, with Grafana's variables replaced by something that Prometheus can parse. */
export async function dashboardQueries(): Promise<Query[]> {
  const { panels, annotations } = await readDashboard();
  const queries = [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
    ...annotations.list.map(({ name, expr }) => ({ where: name, expr })),
  ];
  return queries.map(({ where, expr }) => ({ where, expr: expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$\w+/g, "x") }));
}

/** Names of the series that a query reads: those of this project, of its probes, and `up`. */
export function seriesIn(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '""').replaceAll(/\b(by|without|on|ignoring|group_left)\s*\([^)]*\)/g, "");
  return [...bare.matchAll(/\b(paircast[_:][a-z0-9_:]*|probe_\w+|up)\b/g)].map(([name]) => name);
}
