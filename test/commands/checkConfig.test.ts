import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkConfig } from "../../src/commands/checkConfig.ts";
import type { Terminal } from "../../src/commands/terminal.ts";
import { ConfigError } from "../../src/core/config/problems.ts";

const VALID = `regions:
  - name: one
    streaming: http://127.0.0.11:1
    account: { driver: static, storage: { url: https://one.example, credential: { kind: sas, sas: "sig=very-secret" } } }
  - name: two
    streaming: http://127.0.0.12:1
    account: { driver: static, storage: { url: https://two.example, credential: { kind: account-key, accountName: two, accountKey: very-secret } } }
gateway: { prefixes: ["/"] }
admin: { token: very-secret-token }
`;

describe("check-config", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "paircast-check-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function check(text: string, json: boolean): Promise<{ readonly code: number; readonly printed: string; readonly noted: string }> {
    const config = join(folder, "paircast.yaml");
    writeFileSync(config, text);
    const printed: string[] = [];
    const noted: string[] = [];
    const terminal: Terminal = {
      version: "0",
      stop: new AbortController().signal,
      print: (line) => printed.push(line),
      note: (line) => noted.push(line),
    };
    return { code: await checkConfig(terminal, { config, json }), printed: printed.join("\n"), noted: noted.join("\n") };
  }

  it.each([true, false])("prints what a valid file amounts to, without its secrets (JSON: %s)", async (json) => {
    const { code, printed } = await check(VALID, json);
    expect(code).toBe(0);
    expect(printed).toContain("https://two.example");
    expect(printed).not.toContain("very-secret");
  });

  it("as JSON tells every problem with its line and path", async () => {
    const { code, printed } = await check(VALID.replace("gateway:", "gatewy:"), true);
    expect(code).toBe(2);
    expect(JSON.parse(printed)).toMatchObject({ valid: false, problems: [{ line: 8, path: "gatewy" }] });
  });

  it("warns of what it accepts, in the text's notes and in the JSON", async () => {
    const text = "regions: [{ name: one, streaming: http://127.0.0.11:1 }]";
    const { code, noted } = await check(text, false);
    expect(code).toBe(0);
    expect(noted).toContain("warning: regions[0]: region one has neither account.storage nor a canary");
    expect(JSON.parse((await check(text, true)).printed)).toMatchObject({ valid: true, warnings: [{ path: "regions[0]" }] });
  });

  it("reports an authority that is no certificate", async () => {
    const ca = join(folder, "ca.pem");
    writeFileSync(ca, "not a certificate");
    const text = `regions: [{ name: one, streaming: http://127.0.0.11:1, caFile: ${ca} }]`;
    expect(JSON.parse((await check(text, true)).printed)).toMatchObject({
      valid: false,
      problems: [{ line: 1, path: "regions[0].caFile" }],
    });
  });

  it("reports a country database that is none", async () => {
    const database = join(folder, "countries.mmdb");
    const text = `regions: [{ name: one, streaming: http://127.0.0.11:1 }]\ngateway: { viewers: { country: { database: ${database} } } }`;
    const problem = async () =>
      (JSON.parse((await check(text, true)).printed) as { problems: { path: string; message: string }[] }).problems[0];
    expect(await problem()).toMatchObject({ path: "gateway.viewers.country.database", message: expect.stringContaining("cannot be read") });
    writeFileSync(database, "<html>sign in to download</html>");
    expect((await problem())?.message).toContain("is not a MaxMind database");
  });

  it("as text throws the problems, for the one place that prints errors", async () => {
    await expect(check("regions: []", false)).rejects.toThrow(ConfigError);
  });
});
