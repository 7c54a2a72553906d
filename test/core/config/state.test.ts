import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/core/config/problems.ts";
import { parseConfig } from "../../../src/core/config/load.ts";

const minimal = "regions:\n  - name: westeurope\n    streaming: https://we.example\n";
const sources = { env: { STATE_KEY: "c2VjcmV0" }, readFile: () => "" };

function state(text: string) {
  return parseConfig("paircast.yaml", `${minimal}${text}`, sources).state;
}

function problem(text: string): string {
  try {
    state(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "valid";
}

const KEY = 'credential: { kind: account-key, accountName: a, accountKey: "${STATE_KEY}" }';
const TABLES = "https://a.table.core.windows.net";

describe("the state", () => {
  it("is a file, where nothing else is said", () => {
    expect(state("")).toEqual({ path: "paircast.db" });
    expect(state("state: { path: /var/lib/paircast/state.db }\n").path).toBe("/var/lib/paircast/state.db");
  });

  it("is in tables and queues of an account, entered with its key, a SAS, or a token", () => {
    expect(state(`state:\n  tables: { url: "${TABLES}/", ${KEY}, prefix: prod }\n`).tables).toEqual({
      url: TABLES,
      credential: { kind: "account-key", accountName: "a", accountKey: "c2VjcmV0" },
      prefix: "prod",
    });
    const { tables, queues } = state(
      `state:\n  tables: { url: "${TABLES}" }\n  queues: { url: "https://a.queue.core.windows.net", credential: { kind: sas, sas: "?sv=1" } }\n`,
    );
    expect(tables).toMatchObject({ credential: { kind: "default" }, prefix: "paircast" });
    expect(queues).toMatchObject({ credential: { kind: "sas", sas: "?sv=1" }, prefix: "paircast" });
  });

  it.each([
    [
      `state: { path: a.db, tables: { url: "${TABLES}" } }`,
      "state.path: with state.tables nothing would be kept in a file; remove one of them",
    ],
    [
      'state: { queues: { url: "https://a.queue.core.windows.net" } }',
      "state.queues: the dead letters of queues are in tables: add state.tables, or remove this",
    ],
    [
      `state: { tables: { url: "http://a.table.core.windows.net", ${KEY} } }`,
      "state.tables.url: credentials are sent here: use https (plain http is allowed on a loopback address only)",
    ],
    [
      'state: { tables: { url: "http://127.0.0.1:10002/devstoreaccount1" } }',
      "state.tables.url: tokens are sent over https only: use an account key or a SAS here, or https",
    ],
    [`state: { tables: { url: "${TABLES}", prefix: my-app } }`, "state.tables.prefix: use letters and digits, a letter first, at most 40"],
    [
      `state: { tables: { url: "${TABLES}" }, queues: { url: "https://a.queue.core.windows.net", prefix: a--b } }`,
      "state.queues.prefix: use lower-case letters, digits and single hyphens, at most 40",
    ],
    [
      `state: { tables: { url: "${TABLES}", sas: x } }`,
      "state.tables.sas: is not a known setting here; check its spelling and its indentation",
    ],
  ])("is refused as %s", (text, message) => {
    expect(problem(`${text}\n`)).toBe(`paircast.yaml:4: ${message}`);
  });

  it("may be reached over plain http on this machine", () => {
    expect(state(`state: { tables: { url: "http://[::1]:10002/one", ${KEY} } }\n`).tables?.url).toBe("http://[::1]:10002/one");
  });
});
