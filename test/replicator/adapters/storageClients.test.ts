/** What cannot be had from Azurite without TLS: SAS signed with a user delegation key. The service is played by the SDK's own HTTP hook. */
import { describe, expect, it } from "vitest";
import { openBlobService } from "../../../src/replicator/adapters/storageClients.ts";
import { ManualClock } from "../../fakes/clock.ts";

const HOUR = 3_600_000;

describe("reading by URL without an account key", () => {
  it("signs with a key that the service gives for a while, asked for once in that while", async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const credential = { getToken: () => Promise.resolve({ token: "token", expiresOnTimestamp: clock.now() + 100 * HOUR }) };
    const service = openBlobService({
      url: "https://account.blob.core.windows.net",
      login: { kind: "token", credential },
      clock,
      pipeline: {
        httpClient: {
          sendRequest: (request) => {
            asked.push(request.url);
            const headers = request.headers.clone();
            headers.set("content-type", "application/xml");
            return Promise.resolve({ request, status: 200, headers, bodyAsText: DELEGATION_KEY });
          },
        },
      },
    });
    const { open, signRead } = service.access("video");
    const client = await open();
    const urls = [await signRead?.(client, "a b.mp4"), await signRead?.(client, "c")];
    const [first, second] = urls.map((url) => new URL(url ?? ""));
    expect(first?.pathname).toBe("/video/a%20b.mp4");
    expect(second?.searchParams.get("sr")).toBe("c");
    expect(first?.searchParams.get("sp")).toBe("r");
    expect(first?.searchParams.get("skoid")).toBe("11111111-1111-1111-1111-111111111111");
    expect(Date.parse(first?.searchParams.get("se") ?? "")).toBe(clock.now() + 4 * HOUR);
    expect(asked.filter((url) => url.includes("comp=userdelegationkey"))).toHaveLength(1);
    await clock.advance(5 * HOUR);
    await signRead?.(await open(), "a");
    expect(asked.filter((url) => url.includes("comp=userdelegationkey"))).toHaveLength(2);
  });
});

const DELEGATION_KEY = `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>
<SignedOid>11111111-1111-1111-1111-111111111111</SignedOid><SignedTid>22222222-2222-2222-2222-222222222222</SignedTid>
<SignedStart>2026-01-01T00:00:00Z</SignedStart><SignedExpiry>2026-01-01T08:00:00Z</SignedExpiry><SignedService>b</SignedService>
<SignedVersion>2026-02-06</SignedVersion><Value>${Buffer.alloc(32, 3).toString("base64")}</Value></UserDelegationKey>`;
