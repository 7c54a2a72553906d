/** Deliveries that carry a token of Entra ID: the listener as `serve` makes it, and a login host of our own. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { request } from "undici";
import { afterEach, beforeEach, expect, it } from "vitest";
import { takeDeliveries, type Deliveries } from "../../src/compose/replicationEvents.ts";
import type { Foundations } from "../../src/compose/foundations.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import type { GridEvent } from "../../src/core/events/envelope.ts";
import { silentLog, type Log } from "../../src/core/log.ts";
import { eventually } from "../harness/wait.ts";

const TENANT = "0b8b2ed6-6d3a-4a6b-9a55-3f2f2a4f6c01";
const AUDIENCE = "api://paircast-events";
const SECRET = "the secret of the subscription";
const EVENT = {
  id: "1",
  eventType: "Microsoft.Media.JobFinished",
  topic: "/account",
  subject: "transforms/t/jobs/j",
  eventTime: "2026-01-01T00:00:00.1234567",
  data: { state: "Finished" },
};

const keys = await generateKeyPair("RS256");
const others = await generateKeyPair("RS256");
const stack: AsyncDisposableStack[] = [];

beforeEach(() => {
  stack.push(new AsyncDisposableStack());
});
afterEach(async () => {
  await stack.pop()?.disposeAsync();
});

/** Has the tenant's keys where Entra has them, and leads everywhere else to a place that must not be asked. */
async function loginHost(): Promise<{ readonly url: string; readonly asked: string[]; readonly server: Server }> {
  const asked: string[] = [];
  const jwk = { kid: "one", use: "sig", ...(await exportJWK(keys.publicKey)) };
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    if (url === `/${TENANT}/discovery/v2.0/keys`) response.writeHead(200).end(JSON.stringify({ keys: [jwk] }));
    else response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack[0]?.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server };
}

async function listener(entra: { readonly login: string; readonly appId?: string }, secret?: string) {
  const [taken, lines]: [GridEvent[], Record<string, unknown>[]] = [[], []];
  const say = (event: string, fields: object = {}): void => void lines.push({ event, ...fields });
  const log: Log = { ...silentLog, info: say, warn: say, error: say };
  const webhook = {
    listen: { host: "127.0.0.1", port: 0 },
    path: "/events",
    secret,
    entra: { tenant: TENANT, audience: [AUDIENCE], ...entra },
  };
  const deliveries: Deliveries = {
    events: { webhook },
    setting: "encoding.events",
    intake: { take: async (events) => void taken.push(...events) },
  };
  const stop = new AbortController();
  const foundations = {
    clock: systemClock,
    random: systemRandom,
    log,
    onListening: () => undefined,
  } as unknown as Foundations;
  const run = takeDeliveries(deliveries, foundations, stop.signal);
  stack[0]?.defer(async () => {
    stop.abort();
    await run;
  });
  const { value } = await eventually(30_000, "the listener", async () => lines.find(({ event }) => event === "events.listening") ?? null);
  const deliver = async (headers: Readonly<Record<string, string>>, query = ""): Promise<number> => {
    const all = { "content-type": "application/json", connection: "close", ...headers };
    const answer = await request(`${String(value["url"])}${query}`, { method: "POST", headers: all, body: JSON.stringify([EVENT]) });
    await answer.body.dump();
    return answer.statusCode;
  };
  return { taken, lines, deliver };
}

async function bearer(login: string, changes: object = {}, { privateKey } = keys): Promise<{ readonly authorization: string }> {
  const at = Math.floor(systemClock.now() / 1000);
  const claims = { aud: AUDIENCE, iss: `${login}/${TENANT}/v2.0`, tid: TENANT, azp: TENANT, nbf: at - 5, exp: at + 600, ...changes };
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "one" }).sign(privateKey);
  return { authorization: `Bearer ${token}` };
}

it("lets in what the tenant has signed for us, and nothing else; the keys are read once", async () => {
  const login = await loginHost();
  const { taken, lines, deliver } = await listener({ login: login.url, appId: TENANT });
  expect(await deliver({})).toBe(401);
  expect(await deliver(await bearer(login.url))).toBe(200);
  expect(await deliver(await bearer(login.url, { aud: "api://another" }))).toBe(401);
  expect(await deliver(await bearer(login.url, { azp: "another" }))).toBe(401);
  expect(await deliver(await bearer(login.url, {}, others))).toBe(401);
  expect(await deliver(await bearer(login.url, { iss: `https://sts.windows.net/${TENANT}/`, azp: undefined, appid: TENANT }))).toBe(200);
  expect(taken.map(({ id }) => id)).toEqual(["1", "1"]);
  expect(login.asked).toEqual([`/${TENANT}/discovery/v2.0/keys`]);
  expect(JSON.stringify(lines)).not.toContain("eyJ");
});

it("asks for the secret, too, where there is one", async () => {
  const login = await loginHost();
  const { taken, deliver } = await listener({ login: login.url }, SECRET);
  const token = await bearer(login.url);
  const code = `?code=${encodeURIComponent(SECRET)}`;
  expect([await deliver(token), await deliver({}, code), await deliver(token, code)]).toEqual([401, 401, 200]);
  expect(taken.length).toBe(1);
});

it("takes nothing while the login host does not answer, and has it delivered again", async () => {
  const login = await loginHost();
  login.server.close();
  login.server.closeAllConnections();
  const { taken, lines, deliver } = await listener({ login: login.url });
  expect(await deliver(await bearer(login.url))).toBe(503);
  expect(taken).toEqual([]);
  expect(lines.map(({ event }) => event)).toContain("events.keys_unavailable");
});
