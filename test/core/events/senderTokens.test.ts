import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { SenderTokens, type SenderPolicy } from "../../../src/core/events/senderTokens.ts";
import { silentLog, type Log } from "../../../src/core/log.ts";
import type { HttpQuestion } from "../../../src/core/ports/http.ts";
import { ManualClock } from "../../fakes/clock.ts";

const TENANT = "0b8b2ed6-6d3a-4a6b-9a55-3f2f2a4f6c01";
const APP = "4962773b-9cdb-44cf-a8bf-237846a00ab7";
const LOGIN = "https://login.example";
const AUDIENCE = "api://paircast-events";
const POLICY: SenderPolicy = { tenant: TENANT, audience: [AUDIENCE], login: LOGIN };
const NOW = Date.UTC(2026, 0, 1);
const SECOND = NOW / 1000;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
let [first, second, weak]: [Pair, Pair, Pair] = [] as never;

beforeAll(async () => {
  [first, second, weak] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256"), generateKeyPair("ES256")]);
});

/** As Entra's first version: `sts.windows.net` and `appid`. */
const CLAIMS: JWTPayload = {
  aud: AUDIENCE,
  iss: `https://sts.windows.net/${TENANT}/`,
  tid: TENANT,
  appid: APP,
  iat: SECOND - 60,
  nbf: SECOND - 60,
  exp: SECOND + 3_600,
};

async function signed(claims: JWTPayload = CLAIMS, { privateKey } = first, kid = "one", alg = "RS256"): Promise<string> {
  return `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: "JWT" }).sign(privateKey)}`;
}

/** The login host, which has the keys of these names. */
function stage(policy: Partial<SenderPolicy> = {}) {
  const clock = new ManualClock(NOW);
  const asked: string[] = [];
  const lines: string[] = [];
  const say = (event: string, fields?: object): void => void lines.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { ...silentLog, warn: say, error: say };
  const host: { keys: readonly (readonly [string, Pair])[]; answer: { status: number; text: string } | null } = {
    keys: [["one", first]],
    answer: null,
  };
  const ask = async ({ url }: HttpQuestion) => {
    asked.push(url);
    if (host.answer?.status === 0) throw new Error("no connection");
    const keys = await Promise.all(host.keys.map(async ([kid, pair]) => ({ kid, use: "sig", ...(await exportJWK(pair.publicKey)) })));
    const { status, text } = host.answer ?? { status: 200, text: JSON.stringify({ keys }) };
    return { status, headers: {}, body: Buffer.from(text) };
  };
  const tokens = new SenderTokens({ policy: { ...POLICY, ...policy }, http: { ask }, clock, log });
  return { clock, asked, lines, host, tokens };
}

describe("a sender's token", () => {
  it("is good when the tenant has signed it for us, in either version; its keys are read once, at the login host", async () => {
    const { tokens, asked } = stage({ appId: APP });
    const { appid, ...others } = CLAIMS;
    const later = { ...others, iss: `${LOGIN}/${TENANT}/v2.0`, azp: appid };
    for (const claims of [CLAIMS, later, { ...CLAIMS, aud: ["other", AUDIENCE] }])
      expect(await tokens.check(await signed(claims))).toBe("good");
    expect(asked).toEqual([`${LOGIN}/${TENANT}/discovery/v2.0/keys`]);
  });

  it("is bad when it is somebody else's, for somebody else, over, not begun, unsigned or forged", async () => {
    const { tokens, lines, clock } = stage({ appId: APP });
    const { exp: _exp, ...endless } = CLAIMS;
    const { tid: _tid, ...homeless } = CLAIMS;
    const wrong: JWTPayload[] = [
      { ...CLAIMS, aud: "api://other" },
      { ...CLAIMS, iss: "https://sts.windows.net/11111111-6d3a-4a6b-9a55-3f2f2a4f6c01/" },
      { ...CLAIMS, iss: `https://login.evil.example/${TENANT}/v2.0` },
      { ...CLAIMS, tid: "11111111-6d3a-4a6b-9a55-3f2f2a4f6c01" },
      { ...CLAIMS, appid: "11111111-9cdb-44cf-a8bf-237846a00ab7" },
      { ...CLAIMS, exp: SECOND - 61 },
      { ...CLAIMS, nbf: SECOND + 120 },
      endless,
      homeless,
    ];
    for (const claims of wrong) expect([claims, await tokens.check(await signed(claims))]).toEqual([claims, "bad"]);
    const good = await signed();
    const [head = "", body = ""] = good.slice("Bearer ".length).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    const forged = [
      `Bearer ${head}.${body}.${Buffer.alloc(256, 1).toString("base64url")}`,
      `Bearer ${none}.${body}.`,
      `Bearer ${none}.${body}.AA`,
      await signed(CLAIMS, second),
      await signed(CLAIMS, weak, "one", "ES256"),
    ];
    for (const token of [...forged, null, "", "Bearer", good.slice(7), `Basic ${good.slice(7)}`, `${good} x`])
      expect([token, await tokens.check(token)]).toEqual([token, "bad"]);
    expect(await tokens.check(good)).toBe("good");
    // Said once in a while, and never the token.
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain("events.token_refused");
    expect(lines.join()).not.toContain(body);
    await clock.advance(60_000);
    await tokens.check(null);
    expect(lines.length).toBe(2);
  });

  it("is not judged while the keys cannot be had, and nobody makes us ask for them again and again", async () => {
    const { tokens, host, asked, clock, lines } = stage();
    for (const answer of [
      { status: 0, text: "" },
      { status: 503, text: "" },
      { status: 200, text: "<html>" },
      { status: 200, text: "{}" },
    ]) {
      host.answer = answer;
      const before = asked.length;
      expect(await tokens.check(await signed())).toBe("unknown");
      const after = asked.length;
      expect(await tokens.check(await signed())).toBe("unknown");
      expect([after - before, asked.length - after]).toEqual([1, 0]);
      await clock.advance(30_000);
    }
    expect(lines.map((line) => line.split(" ")[0])).toEqual(Array.from({ length: 4 }, () => "events.keys_unavailable"));
    host.answer = null;
    expect(await tokens.check(await signed())).toBe("good");
  });

  it("may be signed by a key that is too new to be known: it is to be told again, and forged ones do not make us ask", async () => {
    const { tokens, host, asked } = stage();
    expect(await tokens.check(await signed())).toBe("good");
    host.keys = [...host.keys, ["two", second]];
    // Keys were read a moment ago.
    for (let count = 0; count < 5; count += 1) expect(await tokens.check(await signed(CLAIMS, second, "two"))).toBe("unknown");
    expect(asked.length).toBe(1);
  });

  it("may be of another issuer, where one is configured", async () => {
    const { tokens } = stage({ issuer: "https://sts.chinacloudapi.cn/x/" });
    expect(await tokens.check(await signed())).toBe("bad");
    expect(await tokens.check(await signed({ ...CLAIMS, iss: "https://sts.chinacloudapi.cn/x/" }))).toBe("good");
  });
});
