// A file on its way to the admin API. With XMLHttpRequest: fetch does not tell how much has been sent.
import { authorization } from "./api.js";

/**
 * Never rejects.
 * @param {string} path
 * @param {File} file
 * @param {(sent: number) => void} onProgress bytes
 * @param {AbortSignal} signal
 * @returns {Promise<import("./api.js").Answer>}
 */
export function sendFile(path, file, onProgress, signal) {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    xhr.open("PUT", path);
    for (const [name, value] of Object.entries(authorization())) xhr.setRequestHeader(name, value);
    xhr.setRequestHeader("content-type", "application/octet-stream");
    xhr.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    xhr.addEventListener("load", () => resolve(answerOf(xhr)));
    xhr.addEventListener("error", () => resolve(refused("no_answer", "the connection was lost while the file was sent")));
    xhr.addEventListener("abort", () =>
      resolve(refused("stopped", "you stopped it: the job waits for its file, until it is sent again or canceled")),
    );
    signal.addEventListener("abort", () => xhr.abort());
    xhr.send(file);
  });
}

/**
 * @param {XMLHttpRequest} xhr
 * @returns {import("./api.js").Answer}
 */
function answerOf(xhr) {
  try {
    const body = JSON.parse(xhr.responseText);
    return xhr.status < 300 ? { ok: true, body } : { ok: false, refusal: body };
  } catch {
    return refused("no_answer", `the admin address answered ${xhr.status}`);
  }
}

/**
 * @param {string} error
 * @param {string} message
 * @returns {import("./api.js").Answer}
 */
function refused(error, message) {
  return { ok: false, refusal: { error, message } };
}
