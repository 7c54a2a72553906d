/** A media account's jobs over `@azure/arm-mediaservices`: Azure's own API, or a compatible one at another endpoint. */
import type { AzureMediaServices, Job, JobInputUnion, JobOutputUnion } from "@azure/arm-mediaservices";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { Clock } from "../../core/clock.ts";
import type { AccountJobState, Sighting, Transform } from "../../core/encoding.ts";
import type { AccountInput, AccountJob, EncodingAccount } from "../../core/ports/encodingAccount.ts";
import { failureOf, stateOf } from "../jobEvent.ts";
import { accountError, byStatus, oneLine, statusOf, waitingIsTold } from "./azureErrors.ts";

export interface AzureEncodingOptions {
  /** The region's name. */
  readonly name: string;
  /** Made for `endpoint` and `subscriptionId`, and for nobody else: what its answers do about waiting is changed. */
  readonly client: AzureMediaServices;
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly accountName: string;
  readonly clock: Clock;
}

/** That which the SDK's 13.1 sends for transforms and jobs. */
const API_VERSION = "2022-07-01";
const PRIORITY = { high: "High", normal: "Normal", low: "Low" } as const;

export class AzureEncodingAccount implements EncodingAccount {
  readonly name: string;
  readonly #options: AzureEncodingOptions;
  readonly #client: AzureMediaServices;
  readonly #account: readonly [resourceGroup: string, accountName: string];

  constructor(options: AzureEncodingOptions) {
    this.name = options.name;
    this.#options = options;
    this.#client = options.client;
    this.#client.pipeline.addPolicy(waitingIsTold(options.clock), { afterPhase: "Retry" });
    this.#account = [options.resourceGroup, options.accountName];
  }

  /** As it is, without the SDK's types: those drop what they do not know, and presets are none of our business. */
  async ensureTransform({ name, description, outputs }: Transform, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ properties: { outputs, ...(description === null ? {} : { description }) } });
    const headers = createHttpHeaders({ "content-type": "application/json", accept: "application/json" });
    await this.#call(`put transform ${name}`, signal, async () => {
      const request = createPipelineRequest({
        url: this.#url(`transforms/${encodeURIComponent(name)}`),
        method: "PUT",
        body,
        headers,
        abortSignal: signal,
      });
      request.allowInsecureConnection = this.#options.endpoint.startsWith("http:");
      const { status, bodyAsText } = await this.#client.sendRequest(request);
      if (status >= 300) {
        const words = `: ${oneLine(bodyAsText ?? "")}`;
        throw byStatus(status, `put transform ${name} in ${this.name}`, { words, retryAfterMs: null });
      }
    });
  }

  async submit(job: AccountJob, signal: AbortSignal): Promise<void> {
    for (const { assetName } of job.outputs)
      await this.#call(`create asset ${assetName}`, signal, async (abortSignal) =>
        this.#client.assets.createOrUpdate(...this.#account, assetName, {}, { abortSignal }),
      );
    await this.#call(`create job ${job.name}`, signal, async (abortSignal) => {
      try {
        await this.#client.jobs.create(...this.#account, job.transform, job.name, bodyOf(job), { abortSignal });
      } catch (error) {
        // It is there already, from a submission whose answer was lost; no name is used for two jobs.
        if (statusOf(error) !== 409 || (await this.#find(job.transform, job.name, abortSignal)) === null) throw error;
      }
    });
  }

  async job(transform: string, name: string, signal: AbortSignal): Promise<readonly Sighting[] | null> {
    const job = await this.#call(`get job ${name}`, signal, async (abortSignal) => this.#find(transform, name, abortSignal));
    return job === null ? null : this.#sightings(name, job);
  }

  async *jobs(transform: string, since: number, signal: AbortSignal): AsyncGenerator<readonly Sighting[]> {
    const filter = `properties/created gt ${new Date(Math.floor(since / 1000) * 1000 - 1000).toISOString()}`;
    const pages = this.#client.jobs.list(...this.#account, transform, { filter, abortSignal: signal }).byPage();
    for (;;) {
      const page = await this.#call(`list jobs of ${transform}`, signal, async () => pages.next());
      if (page.done === true) return;
      for (const job of page.value) if (job.name !== undefined) yield this.#sightings(job.name, job);
    }
  }

  async cancel(transform: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#call(`cancel job ${name}`, signal, async (abortSignal) => {
      try {
        await this.#client.jobs.cancelJob(...this.#account, transform, name, { abortSignal });
      } catch (error) {
        if (!isRefusal(statusOf(error))) throw error;
        const job = await this.#find(transform, name, abortSignal);
        if (job !== null && !isOver(stateOf(job.state))) throw error;
      }
    });
  }

  async removeJob(transform: string, name: string, signal: AbortSignal): Promise<void> {
    await this.#absentIsWell(`delete job ${name}`, signal, async (abortSignal) =>
      this.#client.jobs.delete(...this.#account, transform, name, { abortSignal }),
    );
  }

  async removeAsset(assetName: string, signal: AbortSignal): Promise<void> {
    await this.#absentIsWell(`delete asset ${assetName}`, signal, async (abortSignal) =>
      this.#client.assets.delete(...this.#account, assetName, { abortSignal }),
    );
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#call("list transforms", signal, async (abortSignal) =>
      this.#client.transforms
        .list(...this.#account, { abortSignal })
        .byPage()
        .next(),
    );
  }

  async #find(transform: string, name: string, abortSignal: AbortSignal): Promise<Job | null> {
    try {
      return await this.#client.jobs.get(...this.#account, transform, name, { abortSignal });
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async #absentIsWell(what: string, signal: AbortSignal, send: (abortSignal: AbortSignal) => Promise<unknown>): Promise<void> {
    await this.#call(what, signal, async (abortSignal) => {
      try {
        await send(abortSignal);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
      }
    });
  }

  async #call<T>(what: string, signal: AbortSignal, send: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await send(signal);
    } catch (error) {
      throw accountError(error, `${what} in ${this.name}`, signal);
    }
  }

  #sightings(jobName: string, job: Job): readonly Sighting[] {
    const at = (job.endTime ?? job.lastModified ?? new Date(this.#options.clock.now())).getTime();
    const subject = { account: this.name, jobName, at };
    const outputs = (job.outputs ?? []).map((output) => outputSighting(subject, output));
    return [{ ...subject, label: null, state: stateOf(job.state), progress: null, failure: null }, ...outputs];
  }

  #url(path: string): string {
    const { endpoint, subscriptionId, resourceGroup, accountName } = this.#options;
    const account = `subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${accountName}`;
    return `${endpoint.replace(/\/+$/, "")}/${account}/${path}?api-version=${API_VERSION}`;
  }
}

/** The request is at fault, or what it is about. */
function isRefusal(status: number | null): boolean {
  return status === 400 || status === 404 || status === 409;
}

function isOver(state: AccountJobState | null): boolean {
  return state === "canceling" || state === "finished" || state === "canceled" || state === "error";
}

function bodyOf({ input, outputs, priority }: AccountJob): Job {
  const made = outputs.map(({ label, assetName }): JobOutputUnion => ({ odataType: "#Microsoft.Media.JobOutputAsset", label, assetName }));
  return { input: inputOf(input), outputs: made, priority: PRIORITY[priority] };
}

/** Without `baseUri` files are absolute addresses. */
function inputOf(input: AccountInput): JobInputUnion {
  if (input.kind === "urls") return { odataType: "#Microsoft.Media.JobInputHttp", files: [...input.urls] };
  return { odataType: "#Microsoft.Media.JobInputAsset", assetName: input.assetName, files: [...input.files] };
}

function outputSighting(subject: Pick<Sighting, "account" | "jobName" | "at">, output: JobOutputUnion): Sighting {
  const { label = "", state, progress = null, error } = output;
  return { ...subject, label, state: stateOf(state), progress, failure: failureOf(error) };
}
