/** Pure: why a job fails, in the service's words (`JobError` of the specification of encoding). */
import type { JsonObject } from "../contracts.ts";

export const JOB_ERROR_CODES = [
  "ServiceError",
  "ServiceTransientError",
  "DownloadNotAccessible",
  "DownloadTransientError",
  "UploadNotAccessible",
  "UploadTransientError",
  "ConfigurationUnsupported",
  "ContentMalformed",
  "ContentUnsupported",
  "IdentityUnsupported",
] as const;
export type JobErrorCode = (typeof JOB_ERROR_CODES)[number];

export const JOB_ERROR_CATEGORIES = ["Service", "Download", "Upload", "Configuration", "Content", "Account"] as const;
export type JobErrorCategory = (typeof JOB_ERROR_CATEGORIES)[number];

export const JOB_RETRIES = ["DoNotRetry", "MayRetry"] as const;
export type JobRetry = (typeof JOB_RETRIES)[number];

interface Meaning {
  readonly category: JobErrorCategory;
  /** The specification names the values, not which code has which: `ServiceError` was seen with MayRetry, the others follow from their words. */
  readonly retry: JobRetry;
  readonly message: string;
}

const MEANINGS: Readonly<Record<JobErrorCode, Meaning>> = {
  ServiceError: { category: "Service", retry: "MayRetry", message: "Fatal service error, please contact support." },
  ServiceTransientError: {
    category: "Service",
    retry: "MayRetry",
    message: "Transient error, please retry, if retry is unsuccessful, please contact support.",
  },
  DownloadNotAccessible: {
    category: "Download",
    retry: "DoNotRetry",
    message: "While trying to download the input files, the files were not accessible, please check the availability of the source.",
  },
  DownloadTransientError: {
    category: "Download",
    retry: "MayRetry",
    message:
      "While trying to download the input files, there was an issue during transfer (storage service, network errors), see details and check your source.",
  },
  UploadNotAccessible: {
    category: "Upload",
    retry: "DoNotRetry",
    message:
      "While trying to upload the output files, the destination was not reachable, please check the availability of the destination.",
  },
  UploadTransientError: {
    category: "Upload",
    retry: "MayRetry",
    message:
      "While trying to upload the output files, there was an issue during transfer (storage service, network errors), see details and check your destination.",
  },
  ConfigurationUnsupported: {
    category: "Configuration",
    retry: "DoNotRetry",
    message:
      "There was a problem with the combination of input files and the configuration settings applied, fix the configuration settings and retry with the same input, or change input to match the configuration.",
  },
  ContentMalformed: {
    category: "Content",
    retry: "DoNotRetry",
    message:
      "There was a problem with the input content (for example: zero byte files, or corrupt/non-decodable files), check the input files.",
  },
  ContentUnsupported: {
    category: "Content",
    retry: "DoNotRetry",
    message:
      "There was a problem with the format of the input (not valid media file, or an unsupported file/codec), check the validity of the input files.",
  },
  IdentityUnsupported: {
    category: "Account",
    retry: "DoNotRetry",
    message:
      "There was an error verifying to the account identity. Check and fix the identity configurations and retry. If unsuccessful, please contact support.",
  },
};

export interface FailureOptions {
  /** Other than the code's own. */
  readonly category?: JobErrorCategory | undefined;
  readonly retry?: JobRetry | undefined;
  readonly cause?: unknown;
}

/** Ends a job's output in Error. The message is a detail for people, beside the service's own words for the code; it holds no secret. */
export class EncodingFailure extends Error {
  readonly code: JobErrorCode;
  readonly category: JobErrorCategory;
  readonly retry: JobRetry;

  constructor(code: JobErrorCode, detail: string, { category, retry, cause }: FailureOptions = {}) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "EncodingFailure";
    this.code = code;
    this.category = category ?? MEANINGS[code].category;
    this.retry = retry ?? MEANINGS[code].retry;
  }

  /** `error` of the output. */
  body(): JsonObject {
    const { code, category, retry, message } = this;
    return { code, message: MEANINGS[code].message, category, retry, details: [{ code, message }] };
  }
}
