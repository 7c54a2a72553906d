/** `paircast check-config`: is the file right, and what does it amount to. */
import { loadConfig } from "../core/config/load.ts";
import { countryDatabaseOf } from "../core/config/source.ts";
import { ConfigError, pathText } from "../core/config/problems.ts";
import type { Config } from "../core/config/schema.ts";
import { configWarnings } from "../core/config/warnings.ts";
import { readCountryDatabase } from "../core/countryDatabase.ts";
import { errorChain } from "../core/errors.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import type { Terminal } from "./terminal.ts";

const SECRET_FIELDS = new Set([
  "apiKey",
  "accountKey",
  "sas",
  "token",
  "keyAuthorization",
  "masterKey",
  "secretAccessKey",
  "sessionToken",
  "clientSecret",
  "secret",
]);

/** The exit code: 0 for a valid file, 2 for one that is not. As text the problems are thrown, a `ConfigError`. */
export async function checkConfig(
  terminal: Terminal,
  { config: file, json }: { readonly config: string; readonly json: boolean },
): Promise<number> {
  try {
    const loaded = loadConfig(file);
    await checkDatabase(file, loaded);
    const config = withoutSecrets(loaded);
    const warnings = configWarnings(loaded);
    for (const { path, message } of warnings) terminal.note(`${file}: warning: ${path}: ${message}`);
    terminal.print(json ? JSON.stringify({ file, valid: true, warnings, config }) : `${file} is valid\n${JSON.stringify(config, null, 2)}`);
    return 0;
  } catch (error) {
    if (!json || !(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ line, path, message }) => ({ line, path: pathText(path), message }));
    terminal.print(JSON.stringify({ file, valid: false, problems }));
    return EXIT_CODES.usage;
  }
}

function withoutSecrets(config: Config): unknown {
  return JSON.parse(
    JSON.stringify(config, (name, value: unknown) => (SECRET_FIELDS.has(name) && typeof value === "string" ? "[secret]" : value)),
  );
}

/** `serve` reads it when it starts, so it is part of what has to be right. */
async function checkDatabase(file: string, config: Config): Promise<void> {
  const database = countryDatabaseOf(config);
  if (database === null) return;
  try {
    await readCountryDatabase(database);
  } catch (error) {
    throw new ConfigError(file, [{ path: ["gateway", "viewers", "country", "database"], line: null, message: errorChain(error) }]);
  }
}
