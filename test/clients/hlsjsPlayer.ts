/** The real hls.js without a browser: its requests are answered from a script, its media is never decoded. */
import type {
  ErrorData,
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
  LoaderStats,
  default as HlsPlayer,
} from "hls.js";
import { vi } from "vitest";

/** A status, a body, nothing at all, or bytes without end. */
type Answer = number | { readonly body: string } | "silence" | "trickle";

const MEDIA_PLAYLIST = [
  "#EXTM3U",
  "#EXT-X-TARGETDURATION:2",
  "#EXT-X-MEDIA-SEQUENCE:0",
  ...[0, 1, 2].flatMap((n) => ["#EXTINF:2,", `${n}.ts`]),
  "#EXT-X-ENDLIST",
  "",
].join("\n");

const STEERED = [
  "#EXTM3U",
  '#EXT-X-CONTENT-STEERING:SERVER-URI="http://gateway/steering",PATHWAY-ID="west"',
  ...["west", "north"].flatMap((id) => [
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-${id}",NAME="a",DEFAULT=YES,URI="http://${id}/audio.m3u8"`,
    ...[400_000, 200_000].flatMap((bandwidth) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},AUDIO="audio-${id}",PATHWAY-ID="${id}",STABLE-VARIANT-ID="${bandwidth}"`,
      `http://${id}/${bandwidth}.m3u8`,
    ]),
  ]),
  "",
].join("\n");

const PLAIN = ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=200000", "http://gateway/200000.m3u8", ""].join("\n");

/** What each URL answers; what is not here is answered as it should be. */
export class Script {
  readonly answers = new Map<string, Answer>([["http://gateway/plain.m3u8", { body: PLAIN }]]);
  readonly requests: string[] = [];
  readonly aborted: string[] = [];
  priority: readonly string[] = ["west", "north"];

  answer(url: URL): Answer {
    const scripted = this.answers.get(url.href) ?? this.answers.get(url.host);
    if (scripted !== undefined) return scripted;
    if (url.pathname === "/steering") return { body: JSON.stringify({ VERSION: 1, TTL: 10, "PATHWAY-PRIORITY": this.priority }) };
    if (url.pathname === "/steered.m3u8") return { body: STEERED };
    // Without a decoder no segment may ever be complete: hls.js would leave a region whose media it cannot parse.
    return url.pathname.endsWith(".m3u8") ? { body: MEDIA_PLAYLIST } : "trickle";
  }
}

class ScriptedLoader implements Loader<LoaderContext> {
  context: LoaderContext | null = null;
  readonly stats: LoaderStats = {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
  readonly #script: Script;
  #callbacks: LoaderCallbacks<LoaderContext> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(script: Script) {
    this.#script = script;
  }

  load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    const script = this.#script;
    const url = new URL(context.url);
    this.context = context;
    this.#callbacks = callbacks;
    this.stats.loading.start = performance.now();
    script.requests.push(`${url.origin}${url.pathname}`);
    const answer = script.answer(url);
    if (answer === "trickle") this.#timer = setInterval(() => (this.stats.loaded += 100), 1000);
    else {
      const wait = answer === "silence" ? config.loadPolicy.maxTimeToFirstByteMs : 10;
      this.#timer = setTimeout(() => {
        this.#answer(answer, context, callbacks);
      }, wait);
    }
  }

  #answer(answer: Answer, context: LoaderContext, callbacks: LoaderCallbacks<LoaderContext>): void {
    this.#timer = undefined;
    if (answer === "silence") callbacks.onTimeout(this.stats, context, null);
    else if (typeof answer === "number") callbacks.onError({ code: answer, text: "" }, context, null, this.stats);
    else if (answer !== "trickle") {
      const data = context.responseType === "json" ? (JSON.parse(answer.body) as object) : answer.body;
      this.stats.loading.first = this.stats.loading.end = performance.now();
      callbacks.onSuccess({ url: context.url, data, code: 200 }, this.stats, context, null);
    }
  }

  abort(): void {
    if (this.#timer === undefined || this.context === null) return;
    this.destroy();
    this.stats.aborted = true;
    this.#script.aborted.push(this.context.url);
    this.#callbacks?.onAbort?.(this.stats, this.context, null);
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export interface Scripted {
  readonly hls: HlsPlayer;
  readonly script: Script;
  readonly errors: readonly ErrorData[];
}

/** Call it under fake timers. The first segment of each kind is loaded without a media element, and no more than that. */
export async function scriptedHls(config: Partial<HlsConfig>): Promise<Scripted> {
  vi.stubGlobal("self", globalThis);
  vi.stubGlobal("location", { href: "http://page/" });
  vi.stubGlobal("MediaSource", { isTypeSupported: () => true });
  const { default: Hls } = await import("hls.js");
  const script = new Script();
  const loader = class extends ScriptedLoader {
    constructor() {
      super(script);
    }
  };
  const hls = new Hls({ ...config, loader, startFragPrefetch: true, enableWorker: false });
  // Steering manifests are refreshed only while there is a media element that has not ended.
  Object.defineProperty(hls, "media", { value: { ended: false } });
  const errors: ErrorData[] = [];
  hls.on(Hls.Events.ERROR, (_, data) => errors.push(data));
  return { hls, script, errors };
}
