import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepLastGood, keptPlace, lastGoodPath, readLastGood } from "../../../src/core/config/lastGood.ts";
import { MAX_CONFIG_BYTES, readConfig } from "../../../src/core/config/source.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paircast-kept-"));
});

afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

describe("what is kept", () => {
  it.each([["regions: []\n"], [""], ["# sha256: x\n\n\n"], ["ohne Zeilenende ü"]])("is read as it was: %j", (text) => {
    const path = join(folder, "kept.yaml");
    keepLastGood(path, "another", 1);
    keepLastGood(path, text, 1_700_000_000_000);
    expect(readLastGood(path)).toEqual({ path, keptAt: 1_700_000_000_000, text });
  });

  it("is for its owner alone, and leaves nothing half written", async () => {
    const path = join(folder, "kept.yaml");
    keepLastGood(path, "text", 1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["kept.yaml"]);
    expect(() => {
      keepLastGood(join(folder, "nowhere", "kept.yaml"), "text", 1);
    }).toThrow("ENOENT");
  });

  it("is refused where it was changed or cut", async () => {
    const path = join(folder, "kept.yaml");
    keepLastGood(path, "regions: []\n", 1);
    const whole = await readFile(path, "utf8");
    for (const damaged of [whole.slice(0, -1), `${whole}x`, whole.replace("regions", "Regions"), "", "regions: []\n"]) {
      await writeFile(path, damaged);
      expect(() => readLastGood(path), JSON.stringify(damaged)).toThrow("is not as it was written");
    }
    expect(readLastGood(join(folder, "nothing"))).toBeNull();
  });
});

describe("where it is kept", () => {
  it.each([
    ["state: { path: /var/lib/x.db }\n", "/var/lib/x.db"],
    ["regions: [\nstate:\n  path: y.db\n", "y.db"],
    ["frobnicate: yes\nstate: { path: '${STATE}/z.db' }\n", "/data/z.db"],
    ["", "paircast.db"],
    ["state: 7", "paircast.db"],
  ])("is found in a broken file too: %j", (text, statePath) => {
    expect(keptPlace(text, { STATE: "/data" })).toBe(lastGoodPath(statePath));
  });
});

describe("a configuration on disk", () => {
  const text = (caFile = "") => `regions: [{ name: west, streaming: "https://west.example"${caFile} }]\nadmin: { token: file:token }\n`;
  const sources = { env: {}, readFile: (path: string) => files.get(path.slice(folder.length + 1)) ?? missing() };
  let files: Map<string, string>;

  function missing(): never {
    throw Object.assign(new Error("missing"), { code: "ENOENT" });
  }

  beforeEach(() => {
    files = new Map([
      ["paircast.yaml", text()],
      ["token", "sixteen characters"],
    ]);
  });

  it("names every file it is made of, and its digest tells when one changes", async () => {
    const { cert } = await generate([{ name: "commonName", value: "authority" }]);
    const file = join(folder, "paircast.yaml");
    files.set("paircast.yaml", text(`, caFile: ${folder}/ca.pem`));
    files.set("ca.pem", cert);
    const first = readConfig(file, sources);
    expect(first.files).toEqual([file, join(folder, "token"), join(folder, "ca.pem")]);
    expect(first.text).toContain("file:token");
    expect(readConfig(file, sources).digest).toBe(first.digest);
    const digests = [first.digest];
    for (const [name, content] of [
      ["token", "another sixteen characters"],
      ["ca.pem", `${cert}\n`],
      ["paircast.yaml", `${files.get("paircast.yaml")}#`],
    ]) {
      files.set(name ?? "", content ?? "");
      digests.push(readConfig(file, sources).digest);
    }
    expect(new Set(digests).size).toBe(4);
  });

  it("is refused over 1 MB, and so is a secret", () => {
    const file = join(folder, "paircast.yaml");
    files.set("paircast.yaml", "#".repeat(MAX_CONFIG_BYTES + 1));
    expect(() => readConfig(file, sources)).toThrow(`${file}: has 1048577 bytes; more than 1048576 are refused`);
    files.set("paircast.yaml", text());
    files.set("token", "x".repeat(MAX_CONFIG_BYTES + 1));
    expect(() => readConfig(file, sources)).toThrow("the file token cannot be read (over 1 MB)");
  });
});
