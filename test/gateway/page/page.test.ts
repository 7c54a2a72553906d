import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { statusPage } from "../../../src/gateway/page/page.ts";

const page = statusPage({ connectTo: ["http://gateway.test"] });

async function text(path: string): Promise<string> {
  const answer = await page.request(path);
  expect(answer.status, path).toBe(200);
  return answer.text();
}

describe("the status page", () => {
  it("serves every module that its modules import", async () => {
    const html = await text("/");
    const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? "";
    const { imports } = JSON.parse(importMap) as { imports: Record<string, string> };
    const resolve = (specifier: string, from: string) => {
      const prefix = Object.keys(imports).find((name) => specifier === name || (name.endsWith("/") && specifier.startsWith(name)));
      return prefix === undefined
        ? new URL(specifier, `http://page${from}`).pathname
        : `${String(imports[prefix])}${specifier.slice(prefix.length)}`;
    };
    const seen = new Set<string>();
    const crawl = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const source = await text(path);
      const specifiers = path.endsWith(".mjs")
        ? []
        : [...source.matchAll(/^import .*?from "([^"]+)";$/gms)].map(([, name]) => String(name));
      await Promise.all(specifiers.map((specifier) => crawl(resolve(specifier, path))));
    };
    await crawl("/assets/client/main.js");
    expect([...seen]).toEqual(expect.arrayContaining(["/assets/hls.mjs", "/assets/clients/hlsjs.js", "/assets/clients/watchdog.js"]));
  });

  it("allows its import map, its own scripts and the origins it is told of, and nothing else", async () => {
    const html = await text("/");
    const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? "";
    const policy = (await page.request("/")).headers.get("content-security-policy");
    expect(policy).toContain(`script-src 'self' 'sha256-${createHash("sha256").update(importMap).digest("base64")}'`);
    expect(policy).toContain("connect-src 'self' http://gateway.test");
  });

  it("gives away no other file", async () => {
    for (const path of [
      "/assets/clients/README.md",
      "/assets/clients/tsconfig.json",
      "/assets/clients/../page.ts",
      "/assets/client/page.ts",
    ])
      expect((await page.request(path)).status, path).toBe(404);
  });
});
