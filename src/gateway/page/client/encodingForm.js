// The form that hands in a job: of an address, or of a file that is sent once the job is there.
import { change } from "./api.js";
import { byId, el } from "./dom.js";
import { JOBS } from "./encodingApi.js";
import { sendFile } from "./sendFile.js";

const MIB = 1_048_576;

/** @typedef {{id: string, path: string, file: File}} Upload of a job's file */

/** What is being sent, or was not sent whole. @type {Upload | null} */
let pending = null;

/**
 * Makes the form work. Once, at the start.
 * @param {(id: string) => Promise<void>} submitted a job is there
 */
export function startEncodeForm(submitted) {
  const from = byId("encode-from", HTMLSelectElement);
  from.addEventListener("change", () => ask(from.value === "file"));
  byId("encode-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(submitted);
  });
  byId("encode-form", HTMLFormElement).addEventListener("input", () => say(null));
  byId("encode-again", HTMLButtonElement).addEventListener("click", () => {
    if (pending !== null) void send(pending, submitted);
  });
}

/** @param {import("./encodingApi.js").Transform[]} transforms */
export function offerTransforms(transforms) {
  const select = byId("encode-transform", HTMLSelectElement);
  if (transforms.map(({ name }) => name).join("\n") === [...select.options].map(({ value }) => value).join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(...transforms.map(({ name, description }) => el("option", { value: name, title: description ?? "" }, name)));
  if (transforms.some(({ name }) => name === chosen)) select.value = chosen;
}

/** @param {boolean} forFile */
function ask(forFile) {
  byId("encode-url-label", HTMLLabelElement).hidden = forFile;
  byId("encode-file-label", HTMLLabelElement).hidden = !forFile;
  byId("encode-url", HTMLInputElement).required = !forFile;
  byId("encode-file", HTMLInputElement).required = forFile;
}

/** @param {(id: string) => Promise<void>} submitted */
async function submit(submitted) {
  const button = byId("encode-submit", HTMLButtonElement);
  const file = chosenFile();
  button.disabled = true;
  try {
    const answer = await change("POST", JOBS, { ...request(), input: file === null ? urlInput() : fileInput(file) });
    say(answer.ok ? null : answer.refusal);
    if (!answer.ok) return;
    const { job, created, upload } = answer.body;
    tell(created ? `job ${job.id} has been taken in` : `job ${job.id} was there already`);
    byId("encode-client-id", HTMLInputElement).value = "";
    await submitted(job.id);
    if (file !== null && upload !== null) await send({ id: job.id, path: upload, file }, submitted);
  } finally {
    button.disabled = false;
  }
}

function chosenFile() {
  return byId("encode-from", HTMLSelectElement).value === "file" ? (byId("encode-file", HTMLInputElement).files?.[0] ?? null) : null;
}

function request() {
  const clientId = byId("encode-client-id", HTMLInputElement).value.trim();
  const transform = byId("encode-transform", HTMLSelectElement).value;
  const priority = byId("encode-priority", HTMLSelectElement).value;
  return { transform, priority, ...(clientId === "" ? {} : { clientId }) };
}

function urlInput() {
  return { kind: "url", url: byId("encode-url", HTMLInputElement).value.trim() };
}

/** @param {File} file */
function fileInput({ name, size }) {
  return { kind: "upload", fileName: name, bytes: size };
}

/**
 * @param {Upload} upload
 * @param {(id: string) => Promise<void>} submitted
 */
async function send(upload, submitted) {
  const { id, path, file } = upload;
  const stop = new AbortController();
  const stopIt = () => stop.abort();
  const stopButton = byId("encode-stop", HTMLButtonElement);
  pending = upload;
  say(null);
  stopButton.addEventListener("click", stopIt);
  showSent(0, file);
  byId("encode-upload", HTMLDivElement).hidden = false;
  const answer = await sendFile(path, file, (sent) => showSent(sent, file), stop.signal);
  byId("encode-upload", HTMLDivElement).hidden = true;
  stopButton.removeEventListener("click", stopIt);
  if (answer.ok) pending = null;
  say(answer.ok ? null : answer.refusal);
  tell(answer.ok ? `the file of job ${id} is there` : "");
  await submitted(id);
}

/**
 * @param {number} sent bytes
 * @param {File} file
 */
function showSent(sent, { name, size }) {
  const percent = size === 0 ? 100 : Math.floor((100 * Math.min(sent, size)) / size);
  byId("encode-progress", HTMLProgressElement).value = percent;
  byId("encode-sent", HTMLSpanElement).textContent = `${name}: ${(sent / MIB).toFixed(1)} of ${(size / MIB).toFixed(1)} MiB, ${percent} %`;
}

/** @param {import("./api.js").Refusal | null} refusal null takes the last one away */
function say(refusal) {
  byId("encode-refusal", HTMLDivElement).hidden = refusal === null;
  byId("encode-why", HTMLParagraphElement).textContent = refusal === null ? "" : refusal.message;
  byId("encode-again", HTMLButtonElement).hidden = refusal === null || pending === null;
  if (refusal !== null) tell("");
}

/** @param {string} text */
function tell(text) {
  byId("encode-done", HTMLParagraphElement).textContent = text;
}
