// A card for each account that encodes: whether it is used and why not, how full it is, and what it got done lately.
import { age, el, show } from "./dom.js";
import { accountReasons, accountState } from "./encodingWords.js";
import { overridesOf } from "./overrides.js";

/**
 * @param {HTMLElement} container
 * @param {import("./encodingApi.js").Account[]} accounts
 * @param {number} now
 * @param {Map<string, string>} refusals account -> why it was not re-admitted
 */
export function showAccounts(container, accounts, now, refusals) {
  show(container, ...accounts.map((account) => card(account, now, refusals.get(account.account) ?? null)));
}

/**
 * @param {import("./encodingApi.js").Account} account
 * @param {number} now
 * @param {string | null} refusal
 */
function card(account, now, refusal) {
  const { account: name, status, since, disabled } = account;
  const { word, tone } = accountState(account);
  const overrides = overridesOf(name).filter(({ keepsAway }) => keepsAway);
  const readmit = { type: "button", class: "mend", "data-act": "readmit", "data-of": name, "aria-label": `Re-admit ${name}` };
  const drain = { type: "button", class: "plain", "data-act": "drain", "data-of": name, "aria-label": `Drain encoding in ${name}` };
  return el(
    "article",
    { class: `card ${tone}`, "data-key": name, "data-account": name },
    el(
      "header",
      {},
      el("h3", {}, name),
      ...overrides.map(({ text, title }) => el("span", { class: "use override", title }, text)),
      el("small", {}, el("span", { class: `state ${tone}` }, word), status === "in" && disabled ? "" : ` for ${age(now - since)}`),
    ),
    ...accountReasons(account, now, age).map((sentence) => el("p", { class: "why" }, sentence)),
    fullness(account),
    rates(account.rates),
    refusal === null ? null : el("p", { class: "why unhealthy", role: "alert" }, refusal),
    el(
      "div",
      { class: "actions" },
      status === "in" ? null : el("button", readmit, "Re-admit now"),
      ...overrides.map(({ id, text }) => liftButton(name, id, text)),
      disabled ? null : el("button", drain, "Drain encoding …"),
    ),
  );
}

/**
 * @param {string} name
 * @param {string} id
 * @param {string} text
 */
function liftButton(name, id, text) {
  return el("button", { type: "button", class: "mend", "data-act": "lift", "data-of": id, "aria-label": `Lift: ${name} ${text}` }, "Lift");
}

/** @param {import("./encodingApi.js").Account} account */
function fullness({ account, inFlight, maxInFlight }) {
  const meter = { min: "0", max: String(Math.max(1, maxInFlight)), value: String(inFlight), "aria-label": `jobs in ${account}` };
  return el("p", { class: "fullness" }, el("meter", meter), ` ${inFlight} of ${maxInFlight} jobs`);
}

/** @param {import("./encodingApi.js").Rates} rates */
function rates({ windowMs, finished, failed, stuck, finishedPerHour, failureShare }) {
  const over = `in the last ${age(windowMs)}`;
  if (failureShare === null) return el("p", { class: "muted rates" }, `nothing ended ${over}`);
  const title = `${finished} finished, ${failed} failed by its own fault, ${stuck} got stuck ${over}`;
  const share = `${Math.round(failureShare * 100)} % of ${finished + failed + stuck}`;
  return el("p", { class: "muted rates", title }, `${finishedPerHour} finished an hour · ${share} failed or got stuck ${over}`);
}
