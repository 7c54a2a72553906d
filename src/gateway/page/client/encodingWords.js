// Pure: states and reasons of encoding in plain words.

/** @type {Record<string, string>} */
const WAITING = {
  upload: "its file has not come yet",
  new: "has just come in",
  full: "every account has enough to do",
  none: "no account can be used",
  again: "was taken away from an account, and goes to another",
};

/** @type {Record<string, string>} */
const RUNNING = {
  queued: "the account has taken it",
  scheduled: "waits for an encoder",
  processing: "is being encoded",
  canceling: "is being canceled in the account",
  finished: "is done, and is being looked at",
};

/** @type {Record<string, string>} */
const REASONS = {
  unreachable: "its management API gives no answer",
  failing: "its management API answers with errors of its own (5xx)",
  denied: "it refuses the credential (401 or 403)",
  stuck: "jobs make no progress there",
  failures: "jobs fail there, and not by their own fault",
};

/** @type {Record<string, string>} */
const ENDS = {
  won: "finished, and its output counts",
  failed: "failed",
  rejected: "was not accepted",
  refused: "was refused by the account",
  withheld: "did not begin, as no region gave the input",
  moved: "was taken away",
  canceled: "was canceled",
};

/**
 * What the job is waiting for, or doing.
 * @param {import("./encodingApi.js").EncodingJob} job
 * @returns {string | null}
 */
export function nowWords({ state, waitingFor, attempts, failure }) {
  if (state === "waiting") return WAITING[waitingFor ?? "new"] ?? waitingFor;
  if (state === "failed") return failure?.code ?? null;
  return state === "running" ? runningWords(attempts.at(-1)?.state ?? null) : null;
}

/** @param {string | null} state of the account's own job */
function runningWords(state) {
  return state === null ? "is being handed over" : (RUNNING[state] ?? state);
}

/** @param {import("./encodingApi.js").Attempt} attempt */
export function endWords({ end, endDetail, late, owed }) {
  if (end === null) return "under way";
  const what = ENDS[end] ?? end;
  const why = endDetail === null ? "" : `: ${endDetail}`;
  const lateToo = late ? "; it finished all the same, and its output does not count" : "";
  return `${what}${why}${lateToo}${owed === "remove" ? "; what it left in the account is still to be removed" : ""}`;
}

/**
 * Where an uploaded file is.
 * @param {import("./encodingApi.js").Copy[]} copies
 * @returns {string | null} null where none is kept
 */
export function keptWords(copies) {
  const inState = (/** @type {string} */ wanted) => copies.filter(({ state }) => state === wanted).map(({ region }) => region);
  const [kept, coming] = [inState("kept"), inState("coming")];
  if (kept.length === 0) return null;
  return `kept in ${kept.join(" and ")}${coming.length === 0 ? "" : `, being copied to ${coming.join(" and ")}`}`;
}

/** @param {import("./encodingApi.js").Action} action */
export function actionWords({ kind, by }) {
  return `${kind === "cancel" ? "canceled" : "tried again"} by ${by}`;
}

/**
 * @param {import("./encodingApi.js").Account} account
 * @returns {{word: string, tone: string}} `tone` is the class for its colour
 */
export function accountState({ status, disabled }) {
  if (status === "out") return { word: "out", tone: "unhealthy" };
  if (disabled) return { word: "drained by an operator", tone: "unknown" };
  return status === "trial" ? { word: "on trial", tone: "degraded" } : { word: "used", tone: "healthy" };
}

/**
 * Everything that keeps jobs away from it, one sentence each.
 * @param {import("./encodingApi.js").Account} account
 * @param {number} now
 * @param {(ms: number) => string} age
 * @returns {string[]}
 */
export function accountReasons(account, now, age) {
  const { status, reason, disabled, capacity, maxInFlight, readmitted } = account;
  const [held, paused] = [(account.heldUntil ?? now) - now, (account.pausedUntil ?? now) - now];
  /** @type {[boolean, string][]} */
  const sentences = [
    [reason !== null, reasonWords(account)],
    [held > 0, `not tried again for another ${age(held)}`],
    [status === "trial", "one job at a time tries whether it works again"],
    [disabled, "an operator keeps jobs away from it"],
    [paused > 0, `takes no new jobs for another ${age(paused)}: it asked for fewer requests`],
    [readmitted !== null, `re-admitted by ${readmitted?.by}, ${age(now - (readmitted?.at ?? now))} ago`],
    [status === "in" && capacity < maxInFlight, `has returned, and may have ${capacity} of ${maxInFlight} jobs for now`],
  ];
  return sentences.filter(([holds]) => holds).map(([, sentence]) => sentence);
}

/** @param {import("./encodingApi.js").Account} account */
function reasonWords({ reason, detail }) {
  const why = REASONS[reason ?? ""] ?? reason ?? "";
  return detail === null ? why : `${why} (${detail})`;
}
