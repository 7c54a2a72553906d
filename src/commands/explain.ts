/** `paircast explain URL`: the candidates for a request, and why one of them is chosen. */
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import type { Explanation } from "../gateway/explain.ts";
import { askAdmin, type AdminOptions } from "./adminClient.ts";
import type { Terminal } from "./terminal.ts";

/** What is supposed of the viewer; what is left out is not known. */
export interface SupposedViewer {
  readonly address?: string | undefined;
  readonly country?: string | undefined;
  readonly session?: string | undefined;
}

export interface ExplainOptions extends AdminOptions, SupposedViewer {
  readonly json: boolean;
}

export async function explain(terminal: Terminal, url: string, options: ExplainOptions): Promise<void> {
  const { address, country, session } = options;
  const supposed = Object.entries({ address, country, session }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const answer = await askAdmin(options, `/api/explain?${new URLSearchParams([["url", url], ...supposed]).toString()}`);
  if (options.json) {
    terminal.print(JSON.stringify(answer));
    return;
  }
  for (const line of lines(answer as Explanation)) terminal.print(line);
}

function lines(explanation: Explanation): string[] {
  const { method, target, outcome, request, rejection, decision } = explanation;
  const asked = `${method} ${target}`;
  if (rejection !== null) return [`${asked}: refused with ${rejection.status} ${rejection.code}: ${rejection.message}`];
  if (outcome === "local" || request === null || decision === null) return [`${asked}: answered by the gateway itself`];
  const whereabouts = WHEREABOUTS[explanation.source ?? "nothing"];
  return [`${asked}: ${request.kind} request for ${subject(request)}; whereabouts from ${whereabouts}`, ...decided(explanation, decision)];
}

function decided({ routing, playback, location }: Explanation, { considered, region, reason }: Decision): string[] {
  return [
    ...(routing === null ? [] : [`  ${routing.route === null ? "gateway.routing" : `gateway.routes[${routing.route}]`}: ${routing.why}`]),
    ...considered.map(
      (each) =>
        `  ${each.region === region ? "->" : "  "} ${each.region.padEnd(20)} ${each.eligible ? "eligible" : "not eligible"}: ${each.verdict}: ${each.detail}`,
    ),
    ...(playback === null || playback.mode === "redirect" ? [] : [`  ${playback.mode}: ${playback.why}`]),
    `  ${region ?? "nobody"} (${reason})${location === null ? "" : `: ${location}`}`,
  ];
}

function subject({ kind, keyId, locatorId }: PlaybackRequest): string {
  return kind === "key" ? `key ${keyId ?? "without id"}` : `video ${locatorId ?? ""}`;
}

const WHEREABOUTS = {
  catalogue: "the catalogue",
  cached: "an earlier look at the regions",
  nothing: "nowhere yet: the gateway would ask the regions",
} as const;
