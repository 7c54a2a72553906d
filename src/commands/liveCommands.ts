/** The arguments of `live`. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { durationMs, isEventName, LIVE_ENCODINGS, LIVE_PROTOCOLS, type LiveEncoding, type LiveProtocol } from "../core/live.ts";
import type { LiveFlags } from "./live.ts";
import { CONFIG, JSON_OUTPUT, type FileOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

interface CreateArguments extends FileOptions {
  readonly encoding: LiveEncoding;
  readonly protocol: LiveProtocol;
  readonly regions?: readonly string[];
  readonly dvr: number;
  readonly keyFrames?: number;
  readonly accessToken?: string;
  readonly keyPolicy?: string;
  readonly streamingPolicy?: string;
  readonly start?: boolean;
}

/** `exit` is given the exit code. */
export function addLiveCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const live = program
    .command("live")
    .description("pairs of live events, one in each region, behind one playback URL. Exit code: 1 where a region is not as it should be");
  addCreate(live, terminal, exit);
  named(live, "start", "start the events; the gateway serves what a running `serve` sees on air").action(
    async (name: string, options: FileOptions) => {
      const { liveStart } = await import("./live.ts");
      exit(await liveStart(terminal, name, flags(options)));
    },
  );
  named(live, "stop", "stop the events; what was recorded stays").action(async (name: string, options: FileOptions) => {
    const { liveStop } = await import("./live.ts");
    exit(await liveStop(terminal, name, flags(options)));
  });
  named(live, "status", "state of both events, which regions are on air, and which one serves")
    .option("--ingest", "and the ingest addresses: whoever has them can send to the events")
    .option("--admin <url>", "admin address of the gateway; default: the one in the configuration")
    .action(async (name: string, options: FileOptions & { ingest?: boolean; admin?: string }) => {
      const { liveStatus } = await import("./live.ts");
      exit(await liveStatus(terminal, name, { ...flags(options), ingest: options.ingest === true, admin: options.admin ?? null }));
    });
  withCommon(live.command("list").description("all pairs, with the states of their events")).action(async (options: FileOptions) => {
    const { liveList } = await import("./live.ts");
    exit(await liveList(terminal, flags(options)));
  });
  named(live, "delete", "remove events, outputs, locators and recordings; refused while one of the events runs")
    .option("--force", "stop what runs")
    .option("--keep-recordings", "leave the assets, unpublished: the name cannot be used again while they are there")
    .action(async (name: string, options: FileOptions & { force?: boolean; keepRecordings?: boolean }) => {
      const { liveDelete } = await import("./live.ts");
      const { force = false, keepRecordings = false } = options;
      exit(await liveDelete(terminal, name, { ...flags(options), force, keepRecordings }));
    });
}

function addCreate(live: Command, terminal: Terminal, exit: (code: number) => void): void {
  named(live, "create", "make a pair, or complete one: what is there already stays as it is")
    .addOption(new Option("--encoding <kind>", "what the service does with the stream").choices(LIVE_ENCODINGS).default("passthrough"))
    .addOption(new Option("--protocol <name>", "what the encoder sends").choices(LIVE_PROTOCOLS).default("rtmp"))
    .option("--regions <names>", "with commas; default: all with an account of the driver ams", list)
    .option("--dvr <duration>", "how far back viewers can go, and what is recorded: PT4H; 1 minute to 25 hours", window, 4 * 3_600_000)
    .option("--key-frames <duration>", "key frame interval of the encoder; default PT2S where the stream is passed through", keyFrames)
    .option("--access-token <guid>", "part of the ingest addresses; default: a new one")
    .option("--key-policy <name>", "content key policy: the stream is protected under it")
    .option("--streaming-policy <name>", "default: Predefined_ClearStreamingOnly, with --key-policy Predefined_ClearKey")
    .option("--start", "start the events at once")
    .action(async (name: string, options: CreateArguments) => {
      const { liveCreate } = await import("./live.ts");
      const { encoding, protocol, regions = null, dvr, accessToken = null, keyPolicy = null, start = false } = options;
      const { streamingPolicy = keyPolicy === null ? "Predefined_ClearStreamingOnly" : "Predefined_ClearKey" } = options;
      const isPassed = encoding === "passthrough" || encoding === "passthrough-basic";
      const keyFrameMs = options.keyFrames ?? (isPassed ? 2_000 : null);
      const settings = { encoding, protocol, keyFrameMs, accessToken, archiveMs: dvr };
      const policies = { streamingPolicyName: streamingPolicy, contentKeyPolicyName: keyPolicy };
      exit(await liveCreate(terminal, { name, ...settings, ...policies }, { ...flags(options), regions, start }));
    });
}

function named(live: Command, command: string, description: string): Command {
  return withCommon(live.command(command).description(description).argument("<name>", "of the live event", eventName));
}

function withCommon(command: Command): Command {
  return command.option(...CONFIG).option(...JSON_OUTPUT);
}

function flags({ config, json = false }: FileOptions): LiveFlags {
  return { config, json };
}

function eventName(text: string): string {
  if (isEventName(text)) return text;
  throw new InvalidArgumentError("write letters and digits with single hyphens between them, at most 32");
}

function list(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim());
}

function window(text: string): number {
  const ms = durationMs(text);
  if (ms !== null && ms >= 60_000 && ms <= 25 * 3_600_000) return ms;
  throw new InvalidArgumentError("write an ISO 8601 duration from PT1M to PT25H");
}

function keyFrames(text: string): number {
  const ms = durationMs(text);
  if (ms !== null && ms >= 500 && ms <= 20_000) return ms;
  throw new InvalidArgumentError("write an ISO 8601 duration from PT0.5S to PT20S");
}
