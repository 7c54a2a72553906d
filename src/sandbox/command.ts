/** `paircast sandbox`: everything on one machine, until Ctrl-C. */
import { untilStopped } from "../commands/stopped.ts";
import type { Terminal } from "../commands/terminal.ts";
import { systemClock as clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import { sandboxLayout } from "./layout.ts";
import { startSandbox, type Sandbox } from "./sandbox.ts";
import { PLAYBACK_HOSTS } from "./settings.ts";

export interface SandboxCommandOptions {
  readonly json: boolean;
  readonly portBase: string | null;
  readonly tls: boolean;
  readonly steeringTtl: string;
  readonly encoder: string;
}

const ENCODERS = ["auto", "ffmpeg", "sample"] as const;

export async function sandbox(terminal: Terminal, options: SandboxCommandOptions): Promise<void> {
  const began = clock.monotonic();
  const progress = (text: string): void => {
    terminal.note(`${((clock.monotonic() - began) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  };
  await using running = await startSandbox({
    layout: sandboxLayout(options.portBase),
    tls: options.tls,
    steeringTtl: options.steeringTtl,
    encoder: encoderNamed(options.encoder),
    version: terminal.version,
    stop: terminal.stop,
    progress,
  }).catch((error: unknown) => {
    throw withPortAdvice(error);
  });
  progress("ready");
  terminal.print(options.json ? JSON.stringify(description(running)) : invitation(running));
  await untilStopped(terminal.stop, clock);
  terminal.note("stopping");
}

function encoderNamed(name: string): (typeof ENCODERS)[number] {
  const encoder = ENCODERS.find((each) => each === name);
  if (encoder !== undefined) return encoder;
  throw new PaircastError("bad_option", `--encoder ${name}: write ${ENCODERS.join(", ")}`);
}

const PORT_ERRORS: readonly string[] = ["port_taken", "listen_failed"];

/** The sandbox writes its own configuration, so its addresses are moved in one way only. */
export function withPortAdvice(error: unknown): unknown {
  if (!(error instanceof PaircastError) || !PORT_ERRORS.includes(error.code)) return error;
  const advice = "move all ports of the sandbox with `--port-base N`, for instance --port-base 18080; 0 takes free ones";
  return new PaircastError(error.code, `${error.message}\n${advice}`, { retry: error.retry, cause: error });
}

function description({ serving, controlUrl, regions, videos, configFile }: Sandbox): object {
  return {
    gateway: serving.gatewayUrl,
    admin: serving.adminUrl,
    control: controlUrl,
    regions: regions.map(({ name, urls }) => ({ name, ...urls })),
    videos: videos.map(({ name, locatorId, hls, dash, keyId, token, source }) => ({ name, locatorId, hls, dash, keyId, token, source })),
    config: configFile,
  };
}

function invitation({ serving, controlUrl, regions, videos }: Sandbox): string {
  return [
    "",
    `  status page and player   ${serving.adminUrl}/`,
    `  gateway for players      ${serving.gatewayUrl}`,
    ...Object.entries(PLAYBACK_HOSTS).map(
      ([mode, host]) => `  the same, ${mode.padEnd(15)}http://${host}:${new URL(serving.gatewayUrl).port}`,
    ),
    `  metrics                  ${serving.adminUrl}/metrics`,
    `  control port             ${controlUrl}`,
    ...regions.map(({ name, urls }) => `  ${name.padEnd(24)} streaming ${urls.streaming}  keys ${urls.keys}`),
    "",
    ...videos.map(({ name, hls }) => `  ${name}: ${serving.gatewayUrl}${hls}`),
    "",
    "  lose a region:    " +
      `curl -X POST ${controlUrl}/regions/${regions[0]?.name ?? ""}/faults -H 'content-type: application/json' -d '{"service":"all","kind":"refuse"}'`,
    "  bring it back:    " + `curl -X DELETE ${controlUrl}/regions/${regions[0]?.name ?? ""}/faults`,
    `  encode a file:    npm run -s paircast -- encode submit FILE --transform adaptive --wait --admin ${serving.adminUrl}`,
    "  ask why:          " + `npm run -s paircast -- explain '${videos[0]?.hls ?? "/"}' --admin ${serving.adminUrl}`,
    "",
    "  Ctrl-C stops everything.",
  ].join("\n");
}
