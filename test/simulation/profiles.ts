/**
 * The five players with their default settings, and with those of the client kit, which are read from the kit itself. Defaults are those of the
 * versions in package.json: hls.js `config.ts`, Shaka `player_configuration.js`, dash.js `Settings.js`, VHS `config.js` and `playlist-controller.js`.
 */
import { dashSettings, demoteOnFailure } from "../../clients/dashjs.js";
import { hlsConfig } from "../../clients/hlsjs.js";
import { Penalties } from "../../clients/penalties.js";
import { shakaConfig } from "../../clients/shaka.js";
import { timing } from "../../clients/timing.js";
import { vhsOptions } from "../../clients/videojs.js";
import { watchdogStart, watchdogStep } from "../../clients/watchdog.js";
import type { Tools } from "./driver.ts";
import type { Profile, Watchdog } from "./player.ts";
import { DashJs, type DashJsRules } from "./players/dashjs.ts";
import { HlsJs, type Demotion, type HlsJsRules, type LoadPolicy } from "./players/hlsjs.ts";
import { Shaka, type ShakaRules } from "./players/shaka.ts";
import { Vhs, type VhsRules } from "./players/vhs.ts";
import type { SteeringRules } from "./steering.ts";

export const PLAYERS = ["hls.js", "Shaka HLS", "Shaka DASH", "dash.js", "VHS"] as const;
export type PlayerName = (typeof PLAYERS)[number];

export interface Setting {
  readonly kit: boolean;
  readonly bufferSeconds: number;
  readonly live: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;
const PATIENT = { firstByteMs: NEVER, totalMs: 20_000, silenceMs: NEVER };
const MANIFEST = { patience: PATIENT, attempts: 2, retryMs: 1_000 };

export function profileOf(name: PlayerName, setting: Setting): Profile {
  return { name, manifest: MANIFEST, watchdog: setting.kit ? kitWatchdog : null, ...MAKERS[name](setting) };
}

/** A driver keeps what it learns for one load; so do the kit's plugins. */
const MAKERS: Readonly<Record<PlayerName, (setting: Setting) => Pick<Profile, "protocol" | "steering" | "driver">>> = {
  "hls.js": (setting) => {
    const rules = setting.kit ? kitHlsJs(setting) : HLS_JS;
    return { protocol: "hls", steering: HLS_JS_STEERING, driver: (tools) => new HlsJs(rules(), tools) };
  },
  "Shaka HLS": (setting) => shaka("hls", setting),
  "Shaka DASH": (setting) => shaka("dash", setting),
  "dash.js": (setting) => {
    const rules = (tools: Tools): DashJsRules => (setting.kit ? kitDashJs(setting, tools.presentation.pathways.length) : DASH_JS);
    return { protocol: "dash", steering: DASH_JS_STEERING, driver: (tools) => new DashJs(rules(tools), tools) };
  },
  VHS: (setting) => {
    const rules = setting.kit ? kitVhs(setting) : VHS;
    return { protocol: "hls", steering: VHS_STEERING, driver: (tools) => new Vhs(rules(), tools) };
  },
};

function shaka(protocol: "hls" | "dash", setting: Setting): Pick<Profile, "protocol" | "steering" | "driver"> {
  const rules = setting.kit ? shakaConfig(setting).streaming.retryParameters : SHAKA;
  return { protocol, steering: shakaSteering(protocol, rules), driver: (tools) => new Shaka(rules, tools) };
}

const HLS_JS_FRAGMENT: LoadPolicy = {
  firstByteMs: 10_000,
  totalMs: 120_000,
  timeouts: { count: 4, delayMs: 0, longestMs: 0, backoff: "exponential" },
  errors: { count: 6, delayMs: 1_000, longestMs: 8_000, backoff: "exponential" },
};

const HLS_JS_PLAYLIST: LoadPolicy = {
  firstByteMs: 10_000,
  totalMs: 20_000,
  timeouts: { count: 2, delayMs: 0, longestMs: 0, backoff: "exponential" },
  errors: { count: 2, delayMs: 1_000, longestMs: 8_000, backoff: "exponential" },
};

const HLS_JS = (): HlsJsRules => ({ fragment: HLS_JS_FRAGMENT, playlist: HLS_JS_PLAYLIST, askedAgain: new Set(), demotion: null });

const HLS_JS_STEERING: SteeringRules = {
  readsInline: true,
  waits: "never",
  asksAtOnce: false,
  attempts: 2,
  retryMs: 1_000,
  patience: { firstByteMs: 10_000, totalMs: 20_000, silenceMs: NEVER },
  whenFirstFails: "later",
  parameter: "_HLS_pathway",
  quotes: false,
};

function kitHlsJs(setting: Setting): () => HlsJsRules {
  const { fragLoadPolicy, playlistLoadPolicy } = hlsConfig(setting);
  const [fragment, playlist] = [policyOf(fragLoadPolicy?.default), policyOf(playlistLoadPolicy?.default)];
  return () => ({ fragment, playlist, askedAgain: new Set([0, 404]), demotion: demotionOf(Math.min(4_000, 0.9 * fragment.firstByteMs)) });
}

interface HlsJsPolicy {
  readonly maxTimeToFirstByteMs: number;
  readonly maxLoadTimeMs: number;
  readonly timeoutRetry: HlsJsRetry | null;
  readonly errorRetry: HlsJsRetry | null;
}

interface HlsJsRetry {
  readonly maxNumRetry: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly backoff?: "exponential" | "linear";
}

function policyOf(policy: HlsJsPolicy | undefined): LoadPolicy {
  if (policy === undefined) throw new Error("the kit has no such policy");
  const retries = (retry: HlsJsRetry | null): LoadPolicy["errors"] => ({
    count: retry?.maxNumRetry ?? 0,
    delayMs: retry?.retryDelayMs ?? 0,
    longestMs: retry?.maxRetryDelayMs ?? 0,
    backoff: retry?.backoff ?? "exponential",
  });
  const { maxTimeToFirstByteMs: firstByteMs, maxLoadTimeMs: totalMs, timeoutRetry, errorRetry } = policy;
  return { firstByteMs, totalMs, timeouts: retries(timeoutRetry), errors: retries(errorRetry) };
}

function demotionOf(silenceMs: number): Demotion {
  return { silenceMs, penalties: new Penalties() };
}

const SHAKA: ShakaRules = {
  maxAttempts: 2,
  baseDelay: 1_000,
  backoffFactor: 2,
  fuzzFactor: 0.5,
  connectionTimeout: 10_000,
  stallTimeout: 5_000,
  timeout: 30_000,
};

/** HLS waits for the first answer always, DASH as the MPD says; a failed first answer leaves only the default pathway. */
function shakaSteering(protocol: "hls" | "dash", rules: ShakaRules): SteeringRules {
  return {
    readsInline: true,
    waits: protocol === "hls" ? "always" : "as the MPD says",
    asksAtOnce: false,
    attempts: rules.maxAttempts,
    retryMs: rules.baseDelay,
    patience: { firstByteMs: rules.connectionTimeout, totalMs: rules.timeout, silenceMs: rules.stallTimeout },
    whenFirstFails: "later",
    parameter: protocol === "hls" ? "_HLS_pathway" : "_DASH_pathway",
    quotes: false,
  };
}

const DASH_JS: DashJsRules = { timeoutMs: 20_000, retries: 3, retryMs: 1_000, blacklistMs: NEVER };

const DASH_JS_STEERING: SteeringRules = {
  readsInline: false,
  waits: "as the MPD says",
  asksAtOnce: false,
  attempts: 1,
  retryMs: 0,
  patience: { firstByteMs: NEVER, totalMs: NEVER, silenceMs: NEVER },
  whenFirstFails: "never",
  parameter: "_DASH_pathway",
  quotes: true,
};

/** The kit's listener decides by the MPD how often a segment is asked of the same place. */
function kitDashJs(setting: Setting, locations: number): DashJsRules {
  const { fragmentRequestTimeout, retryAttempts, retryIntervals, blacklistExpiryTime } = dashSettings(setting).streaming;
  let retries = retryAttempts.MediaSegment;
  demoteOnFailure({
    on: (_, listener) => {
      listener({ data: { BaseURL: Array.from({ length: locations }) } });
    },
    off: () => undefined,
    updateSettings: ({ streaming }) => {
      retries = streaming.retryAttempts.MediaSegment;
    },
  });
  return { timeoutMs: fragmentRequestTimeout, retries, retryMs: retryIntervals.MediaSegment, blacklistMs: blacklistExpiryTime * 1_000 };
}

const VHS = (): VhsRules => ({ playlistMs: 45_000, exclusionMs: 60_000, demotion: null });

const VHS_STEERING: SteeringRules = {
  readsInline: true,
  waits: "never",
  asksAtOnce: true,
  attempts: 1,
  retryMs: 0,
  patience: { firstByteMs: NEVER, totalMs: 45_000, silenceMs: NEVER },
  whenFirstFails: "at once",
  parameter: "_HLS_pathway",
  quotes: false,
};

function kitVhs(setting: Setting): () => VhsRules {
  const exclusionMs = vhsOptions().playlistExclusionDuration * 1_000;
  return () => ({ playlistMs: 45_000, exclusionMs, demotion: demotionOf(timing(setting).silenceMs) });
}

function kitWatchdog(now: number): Watchdog {
  let state = watchdogStart(now);
  return {
    look: (sample) => {
      const step = watchdogStep(state, sample);
      ({ state } = step);
      return step.reload ? step.state.position : null;
    },
  };
}
