/** Jobs of a transform. */
import type { Json, JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { found, now, type Emulator } from "./emulator.ts";
import { badRequest, conflict } from "./errors.ts";
import { isObject, objectField, objectsField, optional, requiredText, textField } from "./fields.ts";
import { shownInput, storedInput } from "./jobInputs.ts";
import { isFinal, type JobRunner } from "./jobRunner.ts";
import { LISTINGS, page } from "./odata.ts";
import type { JobOutputRecord, JobRecord, TransformRecord } from "./records.ts";
import { entityBody, resourceId } from "./resources.ts";
import { formatTicks } from "./times.ts";
import { storedPreset } from "./transformPresets.ts";

const PRIORITIES = ["Low", "Normal", "High"];
const TYPE = "@odata.type";
const OUTPUT_ASSET = "#Microsoft.Media.JobOutputAsset";

export function jobRoutes(emulator: Emulator, runner: JobRunner): Route[] {
  const jobs = new Jobs(emulator, runner);
  const one = "transforms/:transform/jobs/:job";
  return [
    { method: "GET", path: "transforms/:transform/jobs", handle: (call) => jobs.list(call) },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: jobs.body(jobs.named(call)) }) },
    { method: "PUT", path: one, handle: (call) => jobs.create(call) },
    { method: "PATCH", path: one, handle: (call) => jobs.update(call) },
    { method: "DELETE", path: one, handle: (call) => jobs.remove(call) },
    { method: "POST", path: `${one}/canceljob`, handle: (call) => jobs.cancel(call) },
  ];
}

class Jobs {
  readonly #emulator: Emulator;
  readonly #runner: JobRunner;

  constructor(emulator: Emulator, runner: JobRunner) {
    this.#emulator = emulator;
    this.#runner = runner;
  }

  named(call: Call): JobRecord {
    return found(this.#transform(call).jobs.get(call.param("job")));
  }

  body(job: JobRecord): JsonObject {
    const stamp = { created: job.created, modified: job.modified };
    const properties = {
      created: formatTicks(job.created),
      state: job.state,
      ...optional("description", job.description),
      input: shownInput(job.input),
      lastModified: formatTicks(job.modified),
      outputs: job.outputs.map(outputBody),
      priority: job.priority,
      correlationData: job.correlationData,
      ...optional("startTime", job.startTime === null ? null : formatTicks(job.startTime)),
      ...optional("endTime", job.endTime === null ? null : formatTicks(job.endTime)),
    };
    return entityBody(this.#emulator.account, path(job), properties, stamp);
  }

  list(call: Call): Reply {
    const bodies = this.#transform(call)
      .jobs.values()
      .map((job) => this.body(job));
    return { status: 200, body: page(bodies, LISTINGS.jobs, call.url, this.#emulator.switches.pageSize) };
  }

  /** Whether PUT of an existing job was refused is not recorded; the specification has only 201. */
  create(call: Call): Reply {
    const transform = this.#transform(call);
    if (transform.jobs.get(call.param("job")) !== undefined)
      throw conflict(`The job '${call.param("job")}' already exists and cannot be updated.`);
    const properties = objectField(bodyOf(call), "properties");
    const created = now(this.#emulator);
    const job: JobRecord = {
      name: call.param("job"),
      transformName: transform.name,
      input: storedInput(objectField(properties, "input"), (name) => {
        this.#assertAsset(name);
      }),
      outputs: this.#outputs(properties, transform),
      correlationData: objectField(properties, "correlationData"),
      created,
      cancel: new AbortController(),
      description: textField(properties, "description"),
      priority: priority(properties) ?? "Normal",
      state: "Queued",
      startTime: null,
      endTime: null,
      modified: created,
    };
    transform.jobs.set(job);
    this.#runner.start(job);
    return { status: 201, body: this.body(job) };
  }

  /** Only description and priority can change, and nothing once the job has ended. */
  update(call: Call): Reply {
    const job = this.named(call);
    const properties = objectField(bodyOf(call), "properties");
    if (isFinal(job.state)) throw this.#stateError(job, "Update");
    job.description = textField(properties, "description") ?? job.description;
    job.priority = priority(properties) ?? job.priority;
    job.modified = now(this.#emulator);
    return { status: 200, body: this.body(job) };
  }

  cancel(call: Call): Reply {
    const job = this.named(call);
    if (isFinal(job.state)) throw this.#stateError(job, "Cancel");
    if (job.state !== "Canceling") this.#runner.cancel(job);
    return { status: 200 };
  }

  remove(call: Call): Reply {
    const transform = this.#transform(call);
    const job = transform.jobs.get(call.param("job"));
    if (job === undefined) return deleted(false);
    if (!isFinal(job.state)) throw this.#stateError(job, "Delete", " Cancel the job or retry after the processing completes.");
    return deleted(transform.jobs.delete(job.name));
  }

  #transform(call: Call): TransformRecord {
    return found(this.#emulator.store.transforms.get(call.param("transform")));
  }

  #stateError(job: JobRecord, operation: string, advice = "") {
    const id = resourceId(this.#emulator.account, path(job));
    return badRequest(`The job ${operation} operation for '${id}' resource failed. The job is in the '${job.state}' state.${advice}`);
  }

  #outputs(properties: JsonObject, transform: TransformRecord): JobOutputRecord[] {
    const outputs = objectsField(properties, "outputs");
    if (outputs.length !== transform.outputs.length) {
      throw badRequest(`The job has ${outputs.length} outputs, its transform '${transform.name}' has ${transform.outputs.length}.`);
    }
    return outputs.map((output, at) => {
      if (output[TYPE] !== OUTPUT_ASSET) throw badRequest(`The value of '${TYPE}' of an output must be '${OUTPUT_ASSET}'.`);
      const assetName = requiredText(output, "assetName");
      this.#assertAsset(assetName);
      const label = textField(output, "label") ?? defaultLabel(transform, at);
      const fresh = { state: "Queued", progress: 0, startTime: null, endTime: null, error: null } as const;
      return { assetName, label, ...ordered(output, transform.outputs[at] ?? {}), ...fresh };
    });
  }

  #assertAsset(name: string): void {
    if (this.#emulator.store.assets.get(name) === undefined) throw badRequest(`The asset '${name}' does not exist.`);
  }
}

function path({ transformName, name }: JobRecord): string {
  return `/transforms/${transformName}/jobs/${name}`;
}

/** What an output is made by: `presetOverride` takes the place of the transform's preset for this job. */
function ordered(output: JsonObject, from: JsonObject): Pick<JobOutputRecord, "preset" | "presetOverride" | "continueOnError"> {
  const given = objectField(output, "presetOverride");
  const presetOverride = Object.keys(given).length === 0 ? null : storedPreset(given);
  return { preset: presetOverride ?? objectField(from, "preset"), presetOverride, continueOnError: from["onError"] === "ContinueJob" };
}

/** Type of the preset and number of the output: `BuiltInStandardEncoderPreset_0`. */
function defaultLabel(transform: TransformRecord, at: number): string {
  const preset: Json | undefined = transform.outputs[at]?.["preset"];
  const type = isObject(preset) ? textField(preset, TYPE) : null;
  return `${type?.split(".").at(-1) ?? "Preset"}_${at}`;
}

function priority(properties: JsonObject): string | null {
  const value = textField(properties, "priority");
  if (value !== null && !PRIORITIES.includes(value))
    throw badRequest(`The value '${value}' of 'priority' is not one of ${PRIORITIES.join(", ")}.`);
  return value;
}

function outputBody({ assetName, label, presetOverride, state, progress, startTime, endTime, error }: JobOutputRecord): JsonObject {
  return {
    [TYPE]: OUTPUT_ASSET,
    ...optional("error", error),
    ...optional("presetOverride", presetOverride),
    state,
    progress,
    label,
    ...optional("startTime", startTime === null ? null : formatTicks(startTime)),
    ...optional("endTime", endTime === null ? null : formatTicks(endTime)),
    assetName,
  };
}
