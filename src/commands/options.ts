/** Options that several commands have, in the same words. */
import { InvalidArgumentError, type Command } from "commander";

export const CONFIG = ["-c, --config <file>", "configuration file", "paircast.yaml"] as const;
export const JSON_OUTPUT = ["--json", "print JSON instead of text"] as const;

/** Of commands that read the configuration themselves. */
export interface FileOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Of commands that ask a running gateway. */
export interface GatewayOptions {
  readonly config?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export function withGateway(command: Command): Command {
  return command
    .option("-c, --config <file>", "configuration file; default: paircast.yaml where there is one")
    .option("--admin <url>", "admin address; default: the one in the configuration, or 127.0.0.1:9090")
    .option(...JSON_OUTPUT);
}

export function gatewayFlags({ config, admin, json }: GatewayOptions) {
  return { config: config ?? null, admin: admin ?? null, json: json === true };
}

/** Reads a whole number from 1 to `most`. */
export function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`write a whole number from 1 to ${most}`);
  };
}
