/** `paircast serve`: gateway, health and replicator until the process is asked to stop. */
import { once } from "node:events";
import { composeFoundations, composeServe } from "../compose.ts";
import { loadConfig } from "../core/config/load.ts";
import { createLog } from "../core/log.ts";
import type { Terminal } from "./terminal.ts";

export async function serve(terminal: Terminal, options: { readonly config: string; readonly json: boolean }): Promise<void> {
  const config = loadConfig(options.config);
  const log = createLog(config.log.level);
  await using foundations = await composeFoundations({ config, version: terminal.version, log });
  await using serving = await composeServe(foundations, { control: null });
  const { gatewayUrl: gateway, adminUrl: admin } = serving;
  terminal.print(options.json ? JSON.stringify({ gateway, admin }) : `gateway at ${gateway}, admin at ${admin}`);
  if (!terminal.stop.aborted) await once(terminal.stop, "abort");
  log.info("serve.stopping");
}
