/** Common Media Client Data (CTA-5004 §3.1): `key`, `key=value` and `key="text"`, between commas. Pure. */

/** CTA-5004 §3.2: a session id has at most 64 characters. */
const MAX_SID = 64;
/** A pair, from where the last one ended; inside quotes `\` takes the next character as it is. */
const PAIR = /([A-Za-z0-9_.-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^,"]*)))?(?:,\s*|$)/y;

/** The session id (`sid`) of a decoded CMCD text; null where it has none or is not CMCD up to it. */
export function cmcdSession(text: string): string | null {
  PAIR.lastIndex = 0;
  for (let pair = PAIR.exec(text); pair !== null; pair = PAIR.exec(text)) {
    const [, key, quoted, bare] = pair;
    if (key === "sid") return sane(quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, "$1"));
  }
  return null;
}

function sane(sid: string | undefined): string | null {
  return sid === undefined || sid === "" || sid.length > MAX_SID ? null : sid;
}
