/** What the media account makes of answers that the emulator does not give: refusals, failures, silence, nonsense. And of API keys. */
import type { RequestListener } from "node:http";
import { SignJWT } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { ManualClock } from "../fakes/clock.ts";
import { LOGIN_PAGE, startHttpServer } from "../harness/httpServer.ts";

let servers = new AsyncDisposableStack();

afterEach(async () => {
  await servers.disposeAsync();
  servers = new AsyncDisposableStack();
});

async function listen(answer: RequestListener): Promise<string> {
  return servers.use(await startHttpServer(answer)).url;
}

function open(endpoint: string, options: { readonly maxRetries?: number; readonly clock?: Clock; readonly token?: string } = {}) {
  const { maxRetries = 0, clock = systemClock, token = "token" } = options;
  const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: systemClock.now() + 3_600_000 }) };
  const names = { region: "westeurope", subscriptionId: "s", resourceGroup: "g", accountName: "acc" };
  return new AzureMediaAccount({ ...names, endpoint, credential, clock, maxRetries });
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener => {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
};

describe("the media account", () => {
  it.each([
    [401, "account_denied", "never"],
    [403, "account_denied", "never"],
    [400, "account_rejected", "never"],
    [408, "account_unavailable", "retry"],
    [429, "account_unavailable", "retry"],
    [500, "account_unavailable", "retry"],
    [503, "account_unavailable", "retry"],
  ])("takes a %i for %s (%s), and says where", async (status, code, retry) => {
    const endpoint = await listen(json(status, { error: { code: "Some", message: "The service's own words." } }));
    const error: unknown = await open(endpoint)
      .asset("a")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, retry, message: expect.stringContaining("get asset a in account acc (westeurope)") });
  });

  it("carries the service's own words with a rejection", async () => {
    const said = "PlayReady does not allow passing to unknown outputs.";
    const endpoint = await listen(json(400, { error: { code: "BadRequest", message: said } }));
    const policy = { name: "p", properties: { options: [] } };
    await expect(open(endpoint).putContentKeyPolicy(policy)).rejects.toThrow(said);
  });

  it("takes a missing account for a mistake and a missing entity for null", async () => {
    const name = "Microsoft.Media/mediaservices/acc";
    const missing = { error: { code: "ResourceNotFound", message: `The Resource '${name}' under resource group 'g' was not found.` } };
    await expect(open(await listen(json(404, missing))).asset("a")).rejects.toMatchObject({ code: "account_rejected" });
    const absent = { error: { code: "NotFound", message: "The requested resource was not found." } };
    expect(await open(await listen(json(404, absent))).asset("a")).toBeNull();
  });

  it("takes an operation that the service gives up for a rejection, in the service's own words", async () => {
    const endpoint = await listen((request, response) => {
      const status = `http://${request.headers.host ?? ""}/operationStatuses/1`;
      const body =
        request.method === "PUT"
          ? { name: "t", properties: { provisioningState: "InProgress" } }
          : { name: "1", status: "Failed", error: { code: "BadFile", message: "The file is no TTML." } };
      const headers = request.method === "PUT" ? { "azure-asyncoperation": status } : {};
      response
        .writeHead(request.method === "PUT" ? 201 : 200, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    });
    const track = { name: "t", properties: { odataType: "#Microsoft.Media.TextTrack", fileName: "t.ttml" } };
    const put = open(endpoint).putTrack("a", track);
    await expect(put).rejects.toMatchObject({ code: "account_rejected", message: expect.stringContaining("put track t of asset a") });
    await expect(put).rejects.toThrow("The file is no TTML.");
  });

  it("takes a DELETE without a body for done, and a login page for no answer", async () => {
    const silent = await listen((_request, response) => response.writeHead(200).end());
    await expect(open(silent).deleteLocator("a")).resolves.toBeUndefined();
    const page = await listen((_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>log in</html>"));
    await expect(open(page).deleteLocator("a")).rejects.toMatchObject({ code: "account_unavailable" });
  });

  it("takes a refused DELETE for something that is in use", async () => {
    const endpoint = await listen(json(409, { error: { code: "Conflict", message: "It is used." } }));
    await expect(open(endpoint).deleteLocator("a")).rejects.toMatchObject({ code: "media_in_use", retry: "conflict" });
  });

  it.each([
    ["a page of HTML", 200, "text/html; charset=utf-8", LOGIN_PAGE],
    ["a page of HTML that calls itself JSON", 200, "application/json", LOGIN_PAGE],
    ["a page of HTML that nothing is there", 404, "text/html", LOGIN_PAGE],
    ["JSON that is no object", 200, "application/json", '"welcome"'],
    ["nothing", 200, "application/json", ""],
  ])("takes %s for no proper answer, in a list too", async (_, status, type, body) => {
    const endpoint = await listen((_request, response) => {
      response.writeHead(status, { "content-type": type }).end(body);
    });
    const refused = { code: "account_unavailable", retry: "retry" };
    await expect(open(endpoint).asset("a")).rejects.toMatchObject(refused);
    await expect(open(endpoint).locator("l")).rejects.toMatchObject(refused);
    await expect(open(endpoint).paths("l")).rejects.toMatchObject(refused);
    await expect(Array.fromAsync(open(endpoint).locators())).rejects.toMatchObject(refused);
  });

  it("takes an object without a list for no list", async () => {
    const endpoint = await listen(json(200, { message: "welcome" }));
    await expect(Array.fromAsync(open(endpoint).locators())).rejects.toMatchObject({ code: "account_unavailable" });
    expect(await Array.fromAsync(open(await listen(json(200, { value: [] }))).locators())).toEqual([]);
  });

  it("tries again as the service asks, a few times", async () => {
    let asked = 0;
    const endpoint = await listen((request, response) => {
      asked += 1;
      if (asked < 3) json(429, {}, { "retry-after": "0" })(request, response);
      else json(200, { name: "a", properties: { container: "c" } })(request, response);
    });
    expect(await open(endpoint, { maxRetries: 3 }).asset("a")).toMatchObject({ name: "a", container: "c" });
    expect(asked).toBe(3);
  });

  it("gives up on a service that accepts and never answers", async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    const endpoint = await listen(() => {
      asked.resolve();
    });
    const call = open(endpoint, { clock }).asset("a");
    const outcome = expect(call).rejects.toMatchObject({ code: "account_unavailable", retry: "retry" });
    await asked.promise;
    await clock.advance(90_000);
    await outcome;
  });

  it("never says its token", async () => {
    const token = "the-token-itself";
    const endpoint = await listen((request, response) => {
      json(400, { error: { code: "BadRequest", message: `bad header ${request.headers.authorization ?? ""}` } })(request, response);
    });
    const error: unknown = await open(endpoint, { token })
      .asset("a")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "account_rejected" });
    const { message, cause } = error as Error;
    expect(`${message} ${String(cause)}`).not.toContain(token);
  });

  it("refuses plain http anywhere but on loopback", () => {
    expect(() => open("http://management.example.com")).toThrow(expect.objectContaining({ code: "insecure_endpoint" }));
    for (const endpoint of ["http://localhost:1", "http://a.localhost:1", "http://[::1]:1", "https://management.example.com/"])
      expect(() => open(endpoint)).not.toThrow();
  });
});

describe("a credential by API key", () => {
  const jwt = (expiresAt: number): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .sign(new Uint8Array(32));
  const ask = (endpoint: string, clock: Clock = systemClock) =>
    createCredential({ kind: "api-key", apiKey: "the-secret-key" }, { endpoint: `${endpoint}/`, subscriptionId: "s", clock });

  it("asks once, keeps the token until two minutes before its end, and shares one request", async () => {
    const clock = new ManualClock();
    const bodies: string[] = [];
    const endpoint = await listen((request, response) => {
      request.setEncoding("utf8").on("data", (chunk: string) => bodies.push(`${request.url ?? ""} ${chunk}`));
      request.on("end", () => void jwt(clock.now() + 3_600_000).then((token) => response.end(token)));
    });
    const credential = ask(endpoint, clock);
    const [a, b] = await Promise.all([credential.getToken("scope"), credential.getToken("scope")]);
    expect(a?.token).toBe(b?.token);
    expect(bodies).toEqual([`/auth/token ${JSON.stringify({ subscriptionId: "s", apiKey: "the-secret-key" })}`]);
    await clock.advance(3_600_000 - 121_000);
    await credential.getToken("scope");
    expect(bodies).toHaveLength(1);
    await clock.advance(2_000);
    await credential.getToken("scope");
    expect(bodies).toHaveLength(2);
  });

  it.each([
    [401, "account_denied"],
    [404, "account_denied"],
    [429, "account_unavailable"],
    [502, "account_unavailable"],
  ])("takes a %i for %s, without the key in the message", async (status, code) => {
    const endpoint = await listen((_request, response) => {
      response.writeHead(status).end("apiKey the-secret-key refused");
    });
    const error: unknown = await ask(endpoint)
      .getToken("scope")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("the-secret-key");
  });

  it("takes an answer that is no token for a wrong endpoint", async () => {
    const endpoint = await listen((_request, response) => {
      response.end("<html>welcome</html>");
    });
    await expect(ask(endpoint).getToken("scope")).rejects.toMatchObject({ code: "account_denied" });
  });
});
