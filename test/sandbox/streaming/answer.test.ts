import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { bodyAnswer } from "../../../src/sandbox/streaming/answer.ts";

const BODY = Uint8Array.from({ length: 100 }, (_, at) => at);

function ask(headers: Record<string, string> = {}, body = BODY): Response {
  return bodyAnswer(new Request("http://a.test/", { headers }), body, "video/mp4");
}

async function bytes(answer: Response): Promise<number[]> {
  return [...new Uint8Array(await answer.arrayBuffer())];
}

describe("bodyAnswer", () => {
  it("gives the whole body with type, length and a validator that depends on the bytes alone", async () => {
    const answer = ask();
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "video/mp4",
      "content-length": "100",
      "accept-ranges": "bytes",
    });
    expect(await bytes(answer)).toEqual([...BODY]);
    expect(ask({}, BODY.slice()).headers.get("etag")).toBe(answer.headers.get("etag"));
    expect(ask({}, BODY.slice(1)).headers.get("etag")).not.toBe(answer.headers.get("etag"));
  });

  it("answers 304 to a matching If-None-Match", () => {
    const etag = ask().headers.get("etag") ?? "";
    expect(ask({ "if-none-match": `"other", W/${etag}` }).status).toBe(304);
    expect(ask({ "if-none-match": "*" }).status).toBe(304);
    expect(ask({ "if-none-match": '"other"' }).status).toBe(200);
  });

  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=10-19", 10, 20],
    ["bytes=90-", 90, 100],
    ["bytes=90-1000", 90, 100],
    ["bytes=-7", 93, 100],
    ["bytes=-1000", 0, 100],
  ])("cuts %s", async (range, start, end) => {
    const answer = ask({ range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/100`);
    expect(answer.headers.get("content-length")).toBe(String(end - start));
    expect(await bytes(answer)).toEqual([...BODY.subarray(start, end)]);
  });

  it.each(["bytes=100-", "bytes=-0", "bytes=5000-6000"])("refuses %s with 416", (range) => {
    const answer = ask({ range });
    expect(answer.status).toBe(416);
    expect(answer.headers.get("content-range")).toBe("bytes */100");
  });

  it.each(["bytes=5-4", "bytes=-", "bytes=0-1,5-6", "items=0-1", "bytes=a-b"])("ignores %s", (range) => {
    expect(ask({ range }).status).toBe(200);
  });

  it("honours a range under If-Range only for the same bytes", () => {
    const etag = ask().headers.get("etag") ?? "";
    expect(ask({ range: "bytes=0-1", "if-range": etag }).status).toBe(206);
    expect(ask({ range: "bytes=0-1", "if-range": '"other"' }).status).toBe(200);
  });

  it("ranges put together are the body", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 2, maxLength: 50 }), fc.nat(), async (body, seed) => {
        const cut = 1 + (seed % (body.length - 1));
        const head = await bytes(ask({ range: `bytes=0-${cut - 1}` }, body));
        expect([...head, ...(await bytes(ask({ range: `bytes=${cut}-` }, body)))]).toEqual([...body]);
      }),
    );
  });
});
