/** What the OpenAPI document says of `/api/encoding`. */
import type { Operation } from "./adminOperation.ts";

const NO_JOB = "there is no such job, or nothing is encoded here";
const BUSY = "the records cannot be reached, or others write at this moment";
const BY = { by: { required: false, description: "who does it, for the record and the log" } };

export const ENCODING_OPERATIONS: readonly Operation[] = [
  {
    path: "/api/encoding",
    summary: "The accounts that encode, how many jobs there are, and the transforms that jobs can name.",
    answer: "Encoding",
    errors: { "404": "nothing is encoded here", "503": BUSY },
  },
  {
    path: "/api/encoding/jobs",
    summary: "Encoding jobs, newest first.",
    answer: "EncodingJobs",
    query: {
      limit: { required: false, description: "at most this many, 1 to 1000; default 100" },
      state: { required: false, description: "waiting, running, finished, failed or canceled; default any" },
      after: { required: false, description: "id of the last job of the page before" },
    },
    errors: { "400": "`state` is none", "404": "nothing is encoded here", "503": BUSY },
  },
  {
    path: "/api/encoding/jobs",
    method: "post",
    summary: "Takes in a job, once for each client id.",
    body: "EncodingRequest",
    answer: "EncodingSubmitted",
    status: "202",
    errors: {
      "400": "not a valid job; `transform_unknown`, `unknown_region`",
      "404": "nothing is encoded here",
      "409": "`client_id_used`: the client id is that of another job",
      "413": "the body is too large; `upload_too_large`: the file is",
      "415": "the body is not application/json",
      "503": BUSY,
    },
  },
  { path: "/api/encoding/jobs/{id}", summary: "One encoding job.", answer: "EncodingJob", errors: { "404": NO_JOB, "503": BUSY } },
  {
    path: "/api/encoding/jobs/{id}/input",
    method: "put",
    summary: "Takes in the file that a job waits for, as the body, of whatever type; answers when it is kept.",
    answer: "EncodingJob",
    errors: {
      "400": "`upload_incomplete`: it has not as many bytes as were announced; `upload_stalled`: it came no more",
      "404": NO_JOB,
      "409": "`upload_unwanted`: the job does not wait for a file, or not any more",
      "503": `\`upload_unavailable\`: no region takes it now; \`uploads_busy\`: others are being uploaded; ${BUSY}`,
    },
  },
  {
    path: "/api/encoding/jobs/{id}/cancel",
    method: "post",
    summary: "Cancels a job; one that is over stays as it is.",
    answer: "EncodingJob",
    query: BY,
    errors: { "404": NO_JOB, "503": BUSY },
  },
  {
    path: "/api/encoding/jobs/{id}/retry",
    method: "post",
    summary: "Tries a job that failed or was canceled again, in any account.",
    answer: "EncodingJob",
    query: BY,
    errors: { "404": NO_JOB, "503": BUSY },
  },
  {
    path: "/api/encoding/accounts/{region}/readmit",
    method: "post",
    summary: "Uses an account again at once.",
    answer: "Encoding",
    query: BY,
    errors: { "404": "no region of this name encodes", "503": BUSY },
  },
];
