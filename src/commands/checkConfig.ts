/** `paircast check-config`: is the file right, and what does it amount to. */
import { loadConfig } from "../core/config/load.ts";
import type { Config } from "../core/config/schema.ts";
import type { Terminal } from "./terminal.ts";

const SECRET_FIELDS = new Set(["apiKey", "accountKey", "sas", "token", "keyAuthorization"]);

/** Throws `ConfigError` for a file that is not valid. */
export function checkConfig(terminal: Terminal, options: { readonly config: string; readonly json: boolean }): void {
  const config = withoutSecrets(loadConfig(options.config));
  if (options.json) {
    terminal.print(JSON.stringify({ file: options.config, valid: true, config }));
    return;
  }
  terminal.print(`${options.config} is valid`);
  terminal.print(JSON.stringify(config, null, 2));
}

function withoutSecrets(config: Config): unknown {
  return JSON.parse(
    JSON.stringify(config, (name, value: unknown) => (SECRET_FIELDS.has(name) && typeof value === "string" ? "[secret]" : value)),
  );
}
