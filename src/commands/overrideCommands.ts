/** The arguments of `drain`, `undrain`, `pin` and `overrides`. */
import { Option, type Command } from "commander";
import { OVERRIDE_SERVICES, type OverrideKind } from "../core/contracts.ts";
import { gatewayFlags, withGateway, type GatewayOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

interface SetArguments extends GatewayOptions {
  readonly service: string;
  readonly reason: string;
  readonly for: string;
  readonly by?: string;
  readonly force?: boolean;
  readonly disable?: boolean;
}

export function addOverrideCommands(program: Command, terminal: Terminal): void {
  const set = async (kind: OverrideKind, region: string, options: SetArguments) => {
    const { setOverride } = await import("./drain.ts");
    const { service, reason, by = null, force = false } = options;
    await setOverride(terminal, region, { ...gatewayFlags(options), kind, service, reason, duration: options.for, by, force });
  };
  withSetOptions(withGateway(program.command("drain").description("send new requests elsewhere; the region stays the last resort")))
    .argument("<region>", "name of a region")
    .option("--disable", "send nothing there, not even as the last resort")
    .option("--force", "also where it is the last eligible region")
    .action(async (region: string, options: SetArguments) => set(options.disable === true ? "disable" : "drain", region, options));
  withSetOptions(withGateway(program.command("pin").description("send everything to one region that it holds")))
    .argument("<region>", "name of a region")
    .option("--force", "also while it is unhealthy; without it the pin yields to other regions then")
    .action(async (region: string, options: SetArguments) => set("pin", region, options));
  withGateway(program.command("undrain").alias("lift").description("lift drains, disables and pins of a region, or one by its id"))
    .argument("<region-or-id>", "name of a region, or the id of an override")
    .addOption(services(new Option("--service <service>", "only the override that was set for it")))
    .option("--by <name>", "who does it, for the audit; default: the user of this machine")
    .action(async (target: string, options: GatewayOptions & { service?: string; by?: string }) => {
      const { undrain } = await import("./undrain.ts");
      await undrain(terminal, target, { ...gatewayFlags(options), service: options.service ?? null, by: options.by ?? null });
    });
  withGateway(program.command("overrides").description("drains, disables and pins in force, and what was done lately")).action(
    async (options: GatewayOptions) => {
      const { overrides } = await import("./overrides.ts");
      await overrides(terminal, gatewayFlags(options));
    },
  );
}

function withSetOptions(command: Command): Command {
  return command
    .requiredOption("--reason <text>", "why; whoever meets the override later has only this")
    .requiredOption("--for <duration>", "how long: 90s, 30m, 2h, at most 7d; it ends by itself")
    .addOption(services(new Option("--service <service>", "what it is for")).default("all"))
    .option("--by <name>", "who does it, for the audit; default: the user of this machine");
}

function services(option: Option): Option {
  return option.choices(OVERRIDE_SERVICES);
}
