/** `paircast explain URL`: the candidates for a request, and why one of them is chosen. */
import type { PlaybackRequest } from "../core/contracts.ts";
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

function lines({ method, target, outcome, request, rejection, source, decision, routing, location }: Explanation): string[] {
  const asked = `${method} ${target}`;
  if (rejection !== null) return [`${asked}: refused with ${rejection.status} ${rejection.code}: ${rejection.message}`];
  if (outcome === "local" || request === null || decision === null) return [`${asked}: answered by the gateway itself`];
  const video = subject(request);
  return [
    `${asked}: ${request.kind} request for ${video}; whereabouts from ${WHEREABOUTS[source ?? "nothing"]}`,
    ...(routing === null ? [] : [`  ${routing.route === null ? "gateway.routing" : `gateway.routes[${routing.route}]`}: ${routing.why}`]),
    ...decision.considered.map(
      ({ region, eligible, verdict, detail }) =>
        `  ${region === decision.region ? "->" : "  "} ${region.padEnd(20)} ${eligible ? "eligible" : "not eligible"}: ${verdict}: ${detail}`,
    ),
    `  ${decision.region ?? "nobody"} (${decision.reason})${location === null ? "" : `: ${location}`}`,
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
