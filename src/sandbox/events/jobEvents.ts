/**
 * Pure: changes of jobs as the events that the service publishes (Event Grid schema).
 * https://learn.microsoft.com/azure/event-grid/event-schema-media-services
 */
import type { Random } from "../../core/clock.ts";
import type { JsonObject } from "../contracts.ts";
import type { JobChange } from "../management/jobRunner.ts";
import type { JobOutputRecord, JobRecord, JobState } from "../management/records.ts";
import { resourceId, type AccountIdentity } from "../management/resources.ts";
import type { Instant } from "../management/times.ts";

export interface GridEvent {
  readonly topic: string;
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly id: string;
  readonly data: JsonObject;
  readonly dataVersion: "1.0";
  readonly metadataVersion: "1";
}

const PREFIX = "Microsoft.Media.";
/** Of every event of progress: it tells nothing apart. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

/** By the state that is entered. */
const SPECIFIC: Readonly<Partial<Record<JobState, string>>> = {
  Scheduled: "Scheduled",
  Processing: "Processing",
  Canceling: "Canceling",
  Finished: "Finished",
  Canceled: "Canceled",
  Error: "Errored",
};
const FINAL: ReadonlySet<JobState> = new Set(["Finished", "Canceled", "Error"]);

export class JobEvents {
  readonly #account: AccountIdentity;
  readonly #random: Random;

  constructor(account: AccountIdentity, random: Random) {
    this.#account = account;
    this.#random = random;
  }

  /** Two of each change: the general one, and one of the state. */
  changed({ job, output, previousState, state }: JobChange, at: Instant): GridEvent[] {
    const subject = output === null ? "Job" : "JobOutput";
    const specific = SPECIFIC[state];
    const kinds = [`${subject}StateChange`, ...(specific === undefined ? [] : [`${subject}${specific}`])];
    return kinds.map((kind) => this.#event(kind, job, at, this.#random.uuid(), dataOf(kind, job, output, previousState, state)));
  }

  progressed(job: JobRecord, { label, progress }: JobOutputRecord, at: Instant): GridEvent {
    return this.#event("JobOutputProgress", job, at, NO_ID, { jobCorrelationData: job.correlationData, label, progress });
  }

  #event(kind: string, job: JobRecord, at: Instant, id: string, data: JsonObject): GridEvent {
    return {
      topic: resourceId(this.#account),
      subject: `transforms/${job.transformName}/jobs/${job.name}`,
      eventType: `${PREFIX}${kind}`,
      eventTime: eventTime(at),
      id,
      data,
      dataVersion: "1.0",
      metadataVersion: "1",
    };
  }
}

function dataOf(kind: string, job: JobRecord, output: JobOutputRecord | null, previousState: JobState, state: JobState): JsonObject {
  if (output !== null) return { previousState, output: outputOf(output), jobCorrelationData: job.correlationData };
  const outputs = FINAL.has(state) && kind !== "JobStateChange" ? { outputs: job.outputs.map(outputOf) } : {};
  return { ...outputs, previousState, state, correlationData: job.correlationData };
}

function outputOf({ assetName, error, label, progress, state }: JobOutputRecord): JsonObject {
  return { "@odata.type": "#Microsoft.Media.JobOutputAsset", assetName, error, label, progress, state };
}

/** Seven decimals and no zone, as the service writes it. */
function eventTime({ ms, ticks }: Instant): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(ticks).padStart(4, "0")}`;
}
