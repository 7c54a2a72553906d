import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Compression, isWorthIt } from "../../../src/gateway/rewrite/compression.ts";
import type { Answer } from "../../../src/gateway/respond.ts";

const LONG = "#EXTM3U\n".repeat(1_000);

function answer(body: Answer["body"], status = 200): Answer {
  return { status, headers: { "content-type": "application/vnd.apple.mpegurl", "content-length": "1" }, body };
}

describe("compression", () => {
  it.each([
    ["gzip", true],
    ["GZIP", true],
    ["x-gzip", true],
    ["gzip, deflate, br, zstd", true],
    ["br;q=1.0, gzip;q=0.2", true],
    ["*", true],
    ["br, *;q=0.1", true],
    ["gzip;q=0", false],
    ["gzip;q=0, *", false],
    ["gzip; q=0.000", false],
    ["identity", false],
    ["br, deflate", false],
    ["*;q=0", false],
    ["", false],
    ["gzipped", false],
    [undefined, false],
  ])("with Accept-Encoding %j: %s", (field, taken) => {
    const compression = new Compression();
    expect([compression.accepts(field), compression.accepts(field)]).toEqual([taken, taken]);
  });

  it("remembers fields, but not any number of them", () => {
    const compression = new Compression();
    for (let number = 0; number < 1_000; number += 1) expect(compression.accepts(`gzip, ${number}`)).toBe(true);
    expect(compression.accepts("gzip;q=0")).toBe(false);
  });

  it("changes nothing but the bytes and what says how to read them", async () => {
    const plain = answer(LONG);
    const compressed = await new Compression().compressed(plain);
    const bytes = compressed?.body as Buffer;
    expect(gunzipSync(bytes).toString()).toBe(LONG);
    expect(compressed).toEqual({
      ...plain,
      body: bytes,
      headers: { ...plain.headers, "content-encoding": "gzip", "content-length": String(bytes.length) },
    });
  });

  it("leaves alone what is short, what is not a manifest, and what is no text", async () => {
    for (const other of [answer("#EXTM3U"), answer(LONG, 503), answer(null, 302), answer(Buffer.from(LONG))]) {
      expect([isWorthIt(other), await new Compression().compressed(other)]).toEqual([false, null]);
    }
  });

  it("does the same work once for all who ask while it goes on", async () => {
    const compression = new Compression();
    const [one, other, third] = await Promise.all([LONG, LONG, `${LONG}#`].map(async (text) => compression.compressed(answer(text))));
    expect(other?.body).toBe(one?.body);
    expect(third?.body).not.toBe(one?.body);
    expect((await compression.compressed(answer(LONG)))?.body).not.toBe(one?.body);
  });
});
