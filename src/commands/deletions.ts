/** `paircast deletions`: what is to be deleted, for review; an operator's word on it; one round of it. */
import { deleteOnce, deletionList, orphanList, sayOfDeletions } from "../compose/deletions.ts";
import { composeFoundations, type Foundations } from "../compose/foundations.ts";
import { loadConfig } from "../core/config/load.ts";
import { createLog } from "../core/log.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import type { Terminal } from "./terminal.ts";

export interface DeletionsArguments {
  readonly config: string;
  readonly json: boolean;
}

type Listed = Awaited<ReturnType<typeof deletionList>>[number];

/** Waits for somebody: for an operator's word, or for somebody to look. */
const WAITING: readonly Listed["status"][] = ["refused", "unapproved", "foreign"];

/** The exit code: 1 where something waits for an operator, else 0. */
export async function deletionsList(terminal: Terminal, options: DeletionsArguments & { readonly all: boolean }): Promise<number> {
  await using foundations = await open(terminal, options);
  const listed = await deletionList(foundations, terminal.stop);
  const { enabled } = foundations.config.replication.deletion;
  const shown = options.all ? listed : listed.filter(({ status }) => status !== "done");
  if (options.json) terminal.print(JSON.stringify({ enabled, deletions: shown }));
  else terminal.print([...shown.map(line), total(listed, enabled)].join("\n"));
  return listed.some(({ status }) => WAITING.includes(status)) ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

/** The exit code: 1 where a name is not among what is to be deleted, else 0. `null` takes back what was said. */
export async function deletionsSay(
  terminal: Terminal,
  options: DeletionsArguments & { readonly names: readonly string[]; readonly word: "approve" | "keep" | null },
): Promise<number> {
  await using foundations = await open(terminal, options);
  const { said, unknown } = await sayOfDeletions(foundations, options.names, options.word);
  const verb = options.word === "approve" ? "approved" : options.word === "keep" ? "kept" : "left to the rules";
  const lines = [
    ...said.map(({ assetName, locatorId, target }) => `${assetName} (${locatorId}) in ${target}: ${verb}`),
    ...unknown.map((name) => `${name}: nothing of that name waits to be deleted; see \`paircast deletions\``),
  ];
  terminal.print(options.json ? JSON.stringify({ said: said.map(({ id }) => id), unknown }) : lines.join("\n"));
  return unknown.length > 0 ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

/** The exit code: 1 where something failed or waits for an operator, else 0. */
export async function deletionsRun(terminal: Terminal, options: DeletionsArguments): Promise<number> {
  await using foundations = await open(terminal, options);
  const summary = await deleteOnce(foundations, terminal.stop);
  const { deleted, failed, restored, standing } = summary;
  const lines = [
    `${deleted} deleted, ${failed} failed, ${restored} published again`,
    ...standing.map(({ target, status, count }) => `  ${target}: ${count} ${status}`),
  ];
  terminal.print(options.json ? JSON.stringify(summary) : lines.join("\n"));
  return failed > 0 || standing.some(({ status }) => status !== "failed" && WAITING.includes(status)) ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

/** The exit code: 1 where there are some, else 0. */
export async function deletionsOrphans(terminal: Terminal, options: DeletionsArguments): Promise<number> {
  await using foundations = await open(terminal, options);
  const orphans = await orphanList(foundations, terminal.stop);
  const lines = orphans.map(({ target, kind, name, why }) => `${kind} ${name} in ${target}: ${why}`);
  terminal.print(options.json ? JSON.stringify({ orphans }) : [...lines, `${orphans.length} orphans`].join("\n"));
  return orphans.length > 0 ? EXIT_CODES.wrong : EXIT_CODES.ok;
}

async function open(terminal: Terminal, { config: file }: DeletionsArguments): Promise<Foundations> {
  const config = loadConfig(file);
  return composeFoundations({ config, version: terminal.version, log: createLog(config.log.level), routes: false });
}

function line({ assetName, locatorId, source, target, status, dueAt, goneAt, bytes, detail, word }: Listed): string {
  const size = bytes === null ? "" : `, ${bytes} bytes`;
  const said = word === null ? "" : `, ${word === "approve" ? "approved" : "to be kept"}`;
  const why = detail === null ? `${source} stopped publishing it at ${time(goneAt)}` : detail;
  return `${assetName} (${locatorId}) in ${target}: ${status}, due ${time(dueAt)}${size}${said}: ${why}`;
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function total(listed: readonly Listed[], enabled: boolean): string {
  const counts = Map.groupBy(listed, ({ status }) => status);
  const text = [...counts].map(([status, { length }]) => `${length} ${status}`).join(", ") || "nothing to delete";
  return enabled ? text : `${text}; deletion is off (replication.deletion.enabled), so nothing is deleted`;
}
