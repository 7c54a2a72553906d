/** A media account's live events over `@azure/arm-mediaservices`: Azure's own API, or a compatible one at another endpoint. */
import type { AzureMediaServices, LiveEvent as SdkEvent } from "@azure/arm-mediaservices";
import { isRestError } from "@azure/core-rest-pipeline";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type { LiveAccount, LiveEvent, LiveEventSpec, LiveOutput, LiveOutputSpec } from "../../core/ports/liveAccount.ts";
import { accountError, oneLine, statusOf } from "./azureErrors.ts";
import { eventFrom, outputFrom, toEvent, toOutput } from "./azureLiveMapping.ts";
import { operate, type Operation, type OperationCall } from "./azureOperation.ts";

export interface AzureLiveOptions {
  readonly region: string;
  readonly client: AzureMediaServices;
  readonly resourceGroup: string;
  readonly accountName: string;
  readonly clock: Clock;
  /** Longest pause between two looks at what goes on in the service, where the service asks for no longer one. Default 2 s. */
  readonly pollMs?: number;
}

export class AzureLiveAccount implements LiveAccount {
  readonly region: string;
  readonly #options: AzureLiveOptions;
  readonly #client: AzureMediaServices;
  readonly #account: readonly [resourceGroup: string, accountName: string];
  readonly #pollMs: number;

  constructor(options: AzureLiveOptions) {
    this.region = options.region;
    this.#options = options;
    this.#client = options.client;
    this.#account = [options.resourceGroup, options.accountName];
    this.#pollMs = options.pollMs ?? 2_000;
  }

  async event(name: string, signal: AbortSignal): Promise<LiveEvent | null> {
    const event = await this.#call(`get live event ${name}`, signal, async (abortSignal) => this.#find(name, abortSignal));
    return event === null ? null : toEvent(event);
  }

  async *events(signal: AbortSignal): AsyncGenerator<LiveEvent> {
    const pages = this.#client.liveEvents.list(...this.#account, { abortSignal: signal }).byPage();
    for (;;) {
      const page = await this.#call("list live events", signal, async () => pages.next());
      if (page.done === true) return;
      for (const event of page.value) yield toEvent(event);
    }
  }

  async createEvent(spec: LiveEventSpec, signal: AbortSignal): Promise<void> {
    const { name } = spec;
    if ((await this.event(name, signal)) !== null) throw this.#exists(`live event ${name}`);
    try {
      await this.#operate(`create live event ${name}`, signal, async (call) => {
        const { location } = await this.#client.mediaservices.get(...this.#account, call);
        return this.#client.liveEvents.beginCreate(...this.#account, name, eventFrom(spec, location), call);
      });
    } catch (error) {
      throw withoutToken(error, spec);
    }
  }

  async start(name: string, signal: AbortSignal): Promise<void> {
    const state = await this.#settled(name, signal);
    if (state === "running") return;
    await this.#operate(`start live event ${name}`, signal, async (call) =>
      this.#client.liveEvents.beginStart(...this.#account, name, call),
    );
  }

  async stop(name: string, signal: AbortSignal): Promise<void> {
    const state = await this.#settled(name, signal);
    if (state === "stopped") return;
    await this.#operate(`stop live event ${name}`, signal, async (call) =>
      this.#client.liveEvents.beginStop(...this.#account, name, { removeOutputsOnStop: false }, call),
    );
  }

  async deleteEvent(name: string, signal: AbortSignal): Promise<void> {
    if ((await this.event(name, signal)) === null) return;
    await this.#operate(`delete live event ${name}`, signal, async (call) =>
      this.#client.liveEvents.beginDelete(...this.#account, name, call),
    );
  }

  async outputs(event: string, signal: AbortSignal): Promise<readonly LiveOutput[]> {
    return this.#call(`list outputs of live event ${event}`, signal, async (abortSignal) => {
      if ((await this.#find(event, abortSignal)) === null) return [];
      const outputs = await Array.fromAsync(this.#client.liveOutputs.list(...this.#account, event, { abortSignal }));
      return outputs.map(toOutput);
    });
  }

  async createOutput(event: string, spec: LiveOutputSpec, signal: AbortSignal): Promise<void> {
    const { name } = spec;
    if ((await this.outputs(event, signal)).some((output) => output.name.toLowerCase() === name.toLowerCase()))
      throw this.#exists(`live output ${name}`);
    await this.#operate(`create live output ${name}`, signal, async (call) =>
      this.#client.liveOutputs.beginCreate(...this.#account, event, name, outputFrom(spec), call),
    );
  }

  async deleteOutput(event: string, name: string, signal: AbortSignal): Promise<void> {
    if (!(await this.outputs(event, signal)).some((output) => output.name.toLowerCase() === name.toLowerCase())) return;
    await this.#operate(`delete live output ${name}`, signal, async (call) =>
      this.#client.liveOutputs.beginDelete(...this.#account, event, name, call),
    );
  }

  /** The state in which it stays by itself; the service refuses what is asked for while it changes. */
  async #settled(name: string, signal: AbortSignal): Promise<"stopped" | "standby" | "running"> {
    for (;;) {
      const event = await this.event(name, signal);
      if (event === null || event.state === "deleting")
        throw new PaircastError("live_missing", `live event ${name} in ${this.region}: there is none`);
      const { state } = event;
      if (state === "stopped" || state === "standby" || state === "running") return state;
      await this.#options.clock.sleep(this.#pollMs, signal);
    }
  }

  async #find(name: string, abortSignal: AbortSignal): Promise<SdkEvent | null> {
    try {
      return await this.#client.liveEvents.get(...this.#account, name, { abortSignal });
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  /** Begins something, and waits until the service has brought it to its end. */
  async #operate(what: string, signal: AbortSignal, begin: (call: OperationCall) => Promise<Operation>): Promise<void> {
    await this.#call(what, signal, async (abortSignal) => {
      try {
        await operate(begin, { clock: this.#options.clock, pollMs: this.#pollMs, signal: abortSignal });
      } catch (error) {
        if (statusOf(error) !== null || !isVerdict(error) || abortSignal.aborted) throw error;
        throw new PaircastError(
          "account_rejected",
          `${what} in ${this.region}: the service began it and gave up: ${oneLine(error.message)}`,
        );
      }
    });
  }

  async #call<T>(what: string, signal: AbortSignal, send: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await send(signal);
    } catch (error) {
      throw accountError(error, `${what} in ${this.region}`, signal);
    }
  }

  #exists(what: string): PaircastError {
    return new PaircastError("live_exists", `create ${what} in ${this.region}: it exists already, and is not replaced`, {
      retry: "conflict",
    });
  }
}

/** A parent that is not there (account, resource group, subscription) is a mistake in the configuration. */
const PARENTS: readonly (string | undefined)[] = ["ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"];

function isAbsent(error: unknown): boolean {
  return statusOf(error) === 404 && isRestError(error) && !PARENTS.includes(error.code);
}

/** A service that refuses a request may quote what it was sent. */
function withoutToken(error: unknown, { accessToken }: LiveEventSpec): unknown {
  if (!(error instanceof PaircastError)) return error;
  const forms = [accessToken, accessToken.replaceAll("-", "")].map((form) => new RegExp(form, "gi"));
  const message = forms.reduce((text, form) => text.replace(form, "[redacted]"), error.message);
  // What caused it may quote it as well.
  return message === error.message ? error : new PaircastError(error.code, message, { retry: error.retry });
}

/** The SDK tells the failure of an operation as a plain error. */
function isVerdict(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith("The long-running operation");
}
