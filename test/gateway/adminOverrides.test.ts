import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { silentLog } from "../../src/core/log.ts";
import type { EncodingService } from "../../src/core/ports/encodingService.ts";
import { newAccount } from "../../src/encoding/account.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { shownAccount } from "../../src/encoding/shown.ts";
import { adminSchemas } from "../../src/gateway/adminSchemas.ts";
import { buildAdmin } from "../../src/gateway/admin.ts";
import { OverrideControl } from "../../src/gateway/overrides/control.ts";
import { buildWorld, ManualClock } from "./world.ts";

const HOUR = 3_600_000;
const DRAIN = { kind: "drain", region: "westeurope", reason: "new certificates", duration: "1h" };

/** `encoding`: what is known of the accounts that encode. */
function adminOf(token: string | null = null, encoding: Pick<EncodingService, "accounts"> | null = null) {
  const clock = new ManualClock();
  const world = buildWorld({ clock });
  const app = buildAdmin({
    ...world,
    overrides: new OverrideControl({ ...world, store: world.overrideStore, view: world.overrideView, encoding }),
    version: "1",
    startedAt: 1,
    gatewayUrl: "http://127.0.0.1:8080",
    keysPrefix: "/keys",
    jobs: async () => Promise.resolve([]),
    conflicts: async () => Promise.resolve([]),
    replication: async () => Promise.resolve({ at: 0, targets: [], queue: null, backfill: [], lastFullAt: null }),
    events: { subscribe: () => () => undefined },
    log: silentLog,
    token,
    page: null,
    sandbox: null,
  });
  const ask = async (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, {
      method,
      headers: { host: "localhost:9090", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    });
  return { ...world, clock, ask };
}

/** The body, which must be exactly what the schema says. */
async function parsed<T>(answer: Response, status: number, schema: z.ZodType<T>): Promise<T> {
  expect(answer.status).toBe(status);
  return schema.parse(await answer.json());
}

async function refusal(answer: Response): Promise<[number, string, string]> {
  const { error, message } = adminSchemas.Error.parse(await answer.json());
  return [answer.status, error, message];
}

describe("/api/overrides", () => {
  it("sets, shows and lifts an override, and keeps an account of it", async () => {
    const { ask, clock, overrideView } = adminOf();
    const { override } = await parsed(await ask("POST", "/api/overrides", { ...DRAIN, by: "Ada Lovelace" }), 201, adminSchemas.Override);
    expect(override).toMatchObject({
      kind: "drain",
      region: "westeurope",
      service: "all",
      reason: "new certificates",
      by: "Ada Lovelace",
      createdAt: clock.now(),
      expiresAt: clock.now() + HOUR,
    });
    expect(overrideView.active()).toEqual([override]);
    const shown = await parsed(await ask("GET", "/api/overrides"), 200, adminSchemas.Overrides);
    expect(shown).toEqual({
      now: clock.now(),
      maxDurationMs: 168 * HOUR,
      overrides: [override],
      audit: [{ at: clock.now(), action: "set", override, by: "Ada Lovelace" }],
    });
    const lifted = await ask("DELETE", `/api/overrides/${override.id}?by=${encodeURIComponent("Zoë")}`);
    expect(await parsed(lifted, 200, adminSchemas.Override)).toEqual({ override });
    expect(overrideView.active()).toEqual([]);
    const { overrides, audit } = await parsed(await ask("GET", "/api/overrides?limit=1"), 200, adminSchemas.Overrides);
    expect(overrides).toEqual([]);
    expect(audit).toMatchObject([{ action: "lifted", by: "Zoë" }]);
    expect((await refusal(await ask("DELETE", `/api/overrides/${override.id}`))).slice(0, 2)).toEqual([404, "unknown_override"]);
  });

  it("names who did it by header, or calls him api", async () => {
    const { ask } = adminOf();
    const set = async (headers: Record<string, string>) =>
      (await parsed(await ask("POST", "/api/overrides", DRAIN, headers), 201, adminSchemas.Override)).override.by;
    expect(await set({ "x-paircast-by": "grafana" })).toBe("grafana");
    expect(await set({})).toBe("api");
    expect((await refusal(await ask("POST", "/api/overrides", DRAIN, { "x-paircast-by": "a{b}" })))[0]).toBe(400);
  });

  it("takes an absolute end in place of a duration", async () => {
    const { ask, clock } = adminOf();
    const { duration: _, ...rest } = DRAIN;
    const expiresAt = clock.now() + 5_000;
    const { override } = await parsed(await ask("POST", "/api/overrides", { ...rest, expiresAt }), 201, adminSchemas.Override);
    expect(override.expiresAt).toBe(expiresAt);
  });

  it.each<[string, unknown, number, string]>([
    ["no JSON", "{", 400, "bad_override"],
    ["no object", "[]", 400, "bad_override"],
    ["an unknown kind", { ...DRAIN, kind: "stop" }, 400, "bad_override"],
    ["an unknown service", { ...DRAIN, service: "storage" }, 400, "bad_override"],
    ["an unknown field", { ...DRAIN, until: 1 }, 400, "bad_override"],
    ["a duration without unit", { ...DRAIN, duration: "30" }, 400, "bad_override"],
    ["a name with a line break", { ...DRAIN, by: "ada\nroot" }, 400, "bad_override"],
    ["a region that is not there", { ...DRAIN, region: "mars" }, 400, "unknown_region"],
    ["no reason", { ...DRAIN, reason: undefined }, 400, "reason_missing"],
    ["no end", { ...DRAIN, duration: undefined }, 400, "expiry_missing"],
    ["too long", { ...DRAIN, duration: "8d" }, 400, "expiry_too_long"],
    ["a large body", JSON.stringify({ ...DRAIN, reason: "x".repeat(20_000) }), 413, "body_too_large"],
  ])("refuses %s", async (_, body, status, code) => {
    const { ask, overrideStore } = adminOf();
    expect((await refusal(await ask("POST", "/api/overrides", body))).slice(0, 2)).toEqual([status, code]);
    expect(await overrideStore.audit(1)).toEqual([]);
  });

  it("says which field is wrong", async () => {
    const { ask } = adminOf();
    const [, , message] = await refusal(await ask("POST", "/api/overrides", { ...DRAIN, duration: "soon" }));
    expect(message).toBe("duration: write a duration with its unit: 500ms, 5s, 10m, 1h");
  });

  it("refuses to drain the last eligible region, unless forced", async () => {
    const { ask, health } = adminOf();
    health.set("northeurope", "streaming", "unhealthy", "refused");
    const [status, code, message] = await refusal(await ask("POST", "/api/overrides", DRAIN));
    expect([status, code]).toEqual([409, "last_eligible"]);
    expect(message).toContain("northeurope is unhealthy");
    await parsed(await ask("POST", "/api/overrides", { ...DRAIN, force: true }), 201, adminSchemas.Override);
  });

  it("refuses what contradicts another override", async () => {
    const { ask } = adminOf();
    await ask("POST", "/api/overrides", DRAIN);
    expect((await refusal(await ask("POST", "/api/overrides", { ...DRAIN, kind: "pin" }))).slice(0, 2)).toEqual([409, "contradiction"]);
  });
});

describe("who may write", () => {
  const TOKEN = "an-admin-token-of-enough-length";

  it("takes JSON only: a form of another site cannot send it without asking", async () => {
    const { ask, overrideStore } = adminOf();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
      const answer = await ask("POST", "/api/overrides", JSON.stringify(DRAIN), { "content-type": type });
      expect((await refusal(answer)).slice(0, 2)).toEqual([415, "not_json"]);
    }
    expect(await overrideStore.audit(1)).toEqual([]);
  });

  it("refuses pages of other origins, and hosts that are not this machine", async () => {
    const { ask, overrideStore } = adminOf();
    for (const [method, path, body] of [
      ["POST", "/api/overrides", DRAIN],
      ["DELETE", "/api/overrides/x", undefined],
    ] as const) {
      expect(await refusal(await ask(method, path, body, { origin: "https://evil.example" }))).toMatchObject([403, "foreign_origin", {}]);
      expect(await refusal(await ask(method, path, body, { host: "evil.example" }))).toMatchObject([403, "foreign_host", {}]);
    }
    expect(await overrideStore.audit(1)).toEqual([]);
    expect((await ask("POST", "/api/overrides", DRAIN, { origin: "http://localhost:9090" })).status).toBe(201);
  });

  it("wants the token, and a name is no substitute for it", async () => {
    const { ask, overrideStore } = adminOf(TOKEN);
    expect((await ask("POST", "/api/overrides", { ...DRAIN, by: "admin" }, { "x-paircast-by": "admin" })).status).toBe(401);
    expect((await ask("DELETE", "/api/overrides/x?by=admin")).status).toBe(401);
    expect((await ask("GET", "/api/overrides")).status).toBe(401);
    expect(await overrideStore.audit(1)).toEqual([]);
    expect((await ask("POST", "/api/overrides", DRAIN, { authorization: `Bearer ${TOKEN}` })).status).toBe(201);
  });
});

describe("operators who write at the same moment", () => {
  it("cannot drain one region each: the second is judged by what the first has stored", async () => {
    const world = buildWorld({ clock: new ManualClock() });
    const { overrideStore, overrides: first } = world;
    const second = new OverrideControl({ ...world, store: overrideStore, view: world.overrideView });
    const request = (region: string) =>
      ({ kind: "drain", region, service: "all", reason: "r", durationMs: HOUR, expiresAt: null, by: "x", force: false }) as const;
    const results = await Promise.allSettled([first.set(request("westeurope")), second.set(request("northeurope"))]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "last_eligible" } });
    expect((await overrideStore.active(world.clock.now())).length).toBe(1);
  });

  it("are told to try again when others write all the time", async () => {
    const { ask, overrideStore, clock } = adminOf();
    let count = 0;
    overrideStore.calls.onCall = async ({ operation, subject }) => {
      if (operation !== "set" || subject.startsWith("noise")) return;
      count += 1;
      const createdAt = clock.now();
      await overrideStore.set({
        id: `noise-${count}`,
        kind: "pin",
        region: "x",
        service: "all",
        reason: "r",
        by: "y",
        createdAt,
        expiresAt: createdAt + 1,
      });
    };
    expect((await refusal(await ask("POST", "/api/overrides", DRAIN))).slice(0, 2)).toEqual([503, "overrides_conflict"]);
  });

  it("takes overrides of encoding, and minds the last account that works", async () => {
    const shown = (account: string, status: "in" | "out") =>
      shownAccount({ ...newAccount(account, 1), status }, { inFlight: 0, maxInFlight: 1, disabled: false }, DEFAULT_POLICY.account, 1);
    const { ask } = adminOf(null, { accounts: async () => Promise.resolve([shown("westeurope", "in"), shown("northeurope", "out")]) });
    const body = { ...DRAIN, service: "encoding" };
    const [status, code, message] = await refusal(await ask("POST", "/api/overrides", body));
    expect([status, code]).toEqual([409, "last_eligible"]);
    expect(message).toContain("the account of westeurope is the last that takes encoding jobs (northeurope is out)");
    const { override } = await parsed(await ask("POST", "/api/overrides", { ...body, force: true }), 201, adminSchemas.Override);
    expect(override).toMatchObject({ kind: "drain", region: "westeurope", service: "encoding" });
    expect((await refusal(await ask("POST", "/api/overrides", { ...body, kind: "pin" }))).slice(0, 2)).toEqual([400, "no_such_service"]);
  });

  it("refuses overrides of encoding where there is none, and none because its records cannot be read", async () => {
    const body = { ...DRAIN, service: "encoding" };
    expect((await refusal(await adminOf().ask("POST", "/api/overrides", body))).slice(0, 2)).toEqual([400, "no_such_service"]);
    const away = { accounts: async () => Promise.reject(new Error("the records cannot be reached")) };
    await parsed(await adminOf(null, away).ask("POST", "/api/overrides", body), 201, adminSchemas.Override);
  });
});
