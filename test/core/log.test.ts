import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createLog, type Log, scrub } from "../../src/core/log.ts";

const line = z.record(z.string(), z.unknown());

function recorded(level: "debug" | "info" | "warn" | "error", write: (log: Log) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog(level, { write: (text) => lines.push(text) }));
  return lines.map((text) => line.parse(JSON.parse(text)));
}

describe("log", () => {
  test("writes one JSON line per event, with time, level and fields", () => {
    const [entry] = recorded("info", (log) => {
      log.warn("health.transition", { origin: "westeurope", failures: 2, failing: true, reason: null, regions: ["a", "b"] });
    });
    expect(entry).toMatchObject({
      level: "warn",
      event: "health.transition",
      origin: "westeurope",
      failures: 2,
      failing: true,
      reason: null,
      regions: ["a", "b"],
    });
    expect(entry?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test("leaves out what is below its level", () => {
    const entries = recorded("warn", (log) => {
      log.debug("a");
      log.info("b");
      log.warn("c");
      log.error("d");
    });
    expect(entries.map((entry) => entry["event"])).toEqual(["c", "d"]);
  });

  test("a line break in a field cannot start a new entry", () => {
    const entries = recorded("info", (log) => {
      log.info("request", { path: '/a\n{"event":"forged"}' });
    });
    expect(entries).toHaveLength(1);
  });

  test("secrets in fields and in lists of them stay out", () => {
    const text = JSON.stringify(
      recorded("info", (log) => {
        log.info("copy.failed", {
          detail: "GET https://we.blob.example/c/a.mp4?sv=2022&sig=c2VjcmV0c2lnbmF0dXJl failed",
          tried: ["Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0c2lnbmF0dXJl"],
        });
      }),
    );
    expect(text).not.toContain("c2VjcmV0c2lnbmF0dXJl");
    expect(text).toContain("we.blob.example/c/a.mp4?sv=2022&sig=[redacted] failed");
  });
});

describe("logs to standard error", () => {
  test("however many there are, they leave one listener for the end of the process", () => {
    createLog("error");
    const before = process.listenerCount("exit");
    for (let count = 0; count < 20; count += 1) createLog("error");
    expect(process.listenerCount("exit")).toBe(before);
  });

  test("keep the order in which lines were written to them, also when the process ends", () => {
    const script = `
      import { createLog } from ${JSON.stringify(new URL("../../src/core/log.ts", import.meta.url).href)};
      const [one, other] = [createLog("info"), createLog("warn")];
      one.line("1\\n");
      other.warn("2");
      one.line("3\\n");
      process.exit();`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(stderr.trimEnd().split("\n")).toEqual(["1", expect.stringContaining('"event":"2"'), "3"]);
  });
});

describe("scrub", () => {
  const SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";

  test.each([
    ["a SAS", `https://we.blob.example/c/a.mp4?sv=2022-11-02&sr=c&sig=${SECRET}%3D&se=2030`],
    ["a token in a query", `https://keys.example/?kid=1&token=${SECRET}`],
    ["a token that is the first parameter", `/keys/?token=${SECRET}&kid=1`],
    ["an upper-case parameter", `/keys/?Token=${SECRET}`],
    ["a Bearer value", `Authorization: Bearer ${SECRET}`],
    ["a Basic value", `authorization: basic ${SECRET}==`],
    ["a SharedKey value", `Authorization: SharedKey westeurope:${SECRET}=`],
    ["a JWT without a scheme", `token was eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.${SECRET}`],
    ["a connection string", `DefaultEndpointsProtocol=https;AccountName=we;AccountKey=${SECRET}==;EndpointSuffix=example`],
    ["a JSON body", `{"subscriptionId":"1","apiKey":"${SECRET}"}`],
  ])("takes out %s", (_, text) => {
    expect(scrub(text)).not.toContain(SECRET);
    expect(scrub(text)).toContain("[redacted]");
  });

  test("keeps what is around a secret", () => {
    expect(scrub(`GET https://we.example/?kid=1&token=${SECRET}&x=2 failed: 401`)).toBe(
      "GET https://we.example/?kid=1&token=[redacted]&x=2 failed: 401",
    );
  });

  test("leaves text without secrets as it is", () => {
    const text = "GET /0b0f6f6e-0000-4000-8000-000000000001/sample.ism/manifest(format=m3u8-cmaf) kid=2 503 westeurope refused";
    expect(scrub(text)).toBe(text);
  });

  test("takes a token of any form out of a query, and changes nothing more at a second pass", () => {
    const token = fc.stringMatching(/^[A-Za-z0-9._~%-]{12,40}$/);
    fc.assert(
      fc.property(token, fc.constantFrom("sig", "token", "secret", "apikey", "access_token"), (value, name) => {
        const once = scrub(`https://h.example/p?a=1&${name}=${value}&b=2`);
        expect(once).not.toContain(value);
        expect(once.startsWith(`https://h.example/p?a=1&${name}=[redacted]`)).toBe(true);
        expect(scrub(once)).toBe(once);
      }),
    );
  });
});
