/** `paircast explain URL`: the candidates for a request, and why one of them is chosen. */
import type { Decision } from "../core/contracts.ts";
import { askAdmin, type AdminOptions } from "./adminClient.ts";
import type { Terminal } from "./terminal.ts";

/** The answer of `/api/explain`, as far as it is printed. */
interface Explanation {
  readonly url: string;
  readonly request: Readonly<Record<string, unknown>> | null;
  readonly rejection: { readonly status: number; readonly code: string; readonly message: string } | null;
  readonly decision: Decision | null;
  readonly answer: { readonly status: number; readonly mode: string; readonly location: string | null } | null;
}

export async function explain(terminal: Terminal, url: string, options: AdminOptions & { readonly json: boolean }): Promise<void> {
  const answer = await askAdmin(options, `/api/explain?url=${encodeURIComponent(url)}`);
  if (options.json) {
    terminal.print(JSON.stringify(answer));
    return;
  }
  for (const line of lines(answer as Explanation)) terminal.print(line);
}

function lines({ url, request, rejection, decision, answer }: Explanation): string[] {
  if (rejection !== null) return [`${url}: refused with ${rejection.status} ${rejection.code}: ${rejection.message}`];
  if (decision === null) return [`${url}: answered by the gateway itself`];
  const facts = Object.entries(request ?? {}).map(([name, value]) => `${name}=${String(value)}`);
  return [
    `${url}: ${facts.join(" ")}`,
    ...decision.considered.map(
      ({ region, eligible, verdict, detail }) =>
        `  ${region === decision.region ? "->" : "  "} ${region.padEnd(20)} ${eligible ? "eligible    " : "not eligible"} ${verdict}: ${detail}`,
    ),
    `  ${decision.region ?? "nobody"} (${decision.reason})${answer?.location == null ? "" : `: ${answer.mode} ${answer.status} ${answer.location}`}`,
  ];
}
