/** Where files of jobs come in. A try is in the job's record before anything is made, so that whatever it leaves behind is removed. */
import type { EncodingInput, EncodingJob } from "../core/encoding.ts";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import type { EncodingDesk } from "./desk.ts";
import type { InputUploads } from "./inputUploads.ts";

export interface UploadDeskOptions {
  readonly desk: EncodingDesk;
  readonly store: Pick<EncodingStore, "accounts">;
  readonly uploads: InputUploads;
  /** Regions that can keep files, those that encode first. */
  readonly regions: readonly string[];
  /** In how many of them a file is kept. */
  readonly copies: number;
  readonly maxBytes: number;
  readonly log: Log;
}

/** One more than copies are wanted: it takes the place of a region that turns out not to answer. */
const SPARE = 1;

export class UploadDesk {
  readonly #options: UploadDeskOptions;

  constructor(options: UploadDeskOptions) {
    this.#options = options;
  }

  /** Throws `upload_too_large` (never). */
  assertTakes(input: EncodingInput): void {
    const { maxBytes } = this.#options;
    if (input.kind !== "upload" || input.bytes <= maxBytes) return;
    const advice = "put it into storage and name it by URL (with a SAS), or raise encoding.uploads.maxSize";
    throw new PaircastError("upload_too_large", `${input.fileName} has ${input.bytes} bytes, and at most ${maxBytes} are taken: ${advice}`);
  }

  /** The job with its file; null where there is no such job. Throws `upload_unwanted` (conflict), and what `InputUploads` does. */
  async receive(id: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<EncodingJob | null> {
    const { desk, uploads, copies } = this.#options;
    const job = await desk.job(id);
    if (job === null) return null;
    const { input } = job;
    if (input.kind !== "upload" || job.waitingFor !== "upload") throw unwanted(job);
    using _place = uploads.place();
    const regions = await this.#regions(copies + SPARE);
    const begun = await desk.uploaded(id, { type: "uploading", regions });
    if (begun === null) return null;
    if (begun.waitingFor !== "upload") throw unwanted(begun);
    const upload = begun.uploads;
    const copy = begun.copies.find((each) => each.upload === upload);
    const file = { assetName: copy?.assetName ?? "", fileName: input.fileName, bytes: input.bytes, content };
    const kept = await uploads.receive(file, regions, copies, signal).catch(async (error: unknown) => {
      await this.#abandon(id, upload);
      throw error;
    });
    const arrived = await desk.uploaded(id, { type: "uploaded", upload, regions: kept });
    if (arrived === null || arrived.copies.some((each) => each.upload === upload && each.state === "kept")) return arrived;
    throw unwanted(arrived);
  }

  /** Regions whose accounts are not used now come last: a file is best where its job can run. */
  async #regions(most: number): Promise<readonly string[]> {
    const stored = await this.#options.store.accounts();
    const out = new Set(stored.filter(({ state }) => state.status === "out").map(({ state }) => state.account));
    const { regions } = this.#options;
    return [...regions.filter((region) => !out.has(region)), ...regions.filter((region) => out.has(region))].slice(0, most);
  }

  /** Where even this fails, the job's own time limit for the upload does it. */
  async #abandon(id: string, upload: number): Promise<void> {
    try {
      await this.#options.desk.uploaded(id, { type: "abandoned", upload });
    } catch (error) {
      this.#options.log.warn("encoding.upload_left", { job: id, code: errorCode(error), error: errorChain(error) });
    }
  }
}

function unwanted({ id, state, input }: EncodingJob): PaircastError {
  const why = input.kind === "upload" ? `its file is here, was sent anew, or is not needed any more (${state})` : "its input is no upload";
  return new PaircastError("upload_unwanted", `upload the file of job ${id}: ${why}`, { retry: "conflict" });
}
