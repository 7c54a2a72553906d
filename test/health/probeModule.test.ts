import { beforeEach, describe, expect, it } from "vitest";
import { HttpFailure } from "../../src/core/http.ts";
import type { ProbeReport } from "../../src/core/ports/health.ts";
import type { PeerCertificate } from "../../src/core/ports/http.ts";
import { PROBE_MODULES, runProbeModule, type ProbeModule } from "../../src/health/probeModule.ts";
import { ManualClock } from "../fakes/clock.ts";
import { FileHttpClient } from "../fakes/fileHttpClient.ts";
import { packageVideo, serveFile, testKey, text, type Files } from "../fakes/packagedVideo.ts";

const ORIGIN = "https://we.example";
let files: Files;
let http: FileHttpClient;
let peer: () => PeerCertificate | null;

async function run(module: ProbeModule, path: string, origin = ORIGIN): Promise<ProbeReport> {
  const certificates = { peer: async () => peer() };
  return runProbeModule(module, `${origin}${path}`, { http, certificates, clock: new ManualClock(), timeoutMs: 1_000, origins: [ORIGIN] });
}

beforeEach(() => {
  files = packageVideo("/v/");
  files.set("/key", testKey("key"));
  http = new FileHttpClient(ORIGIN, files);
  http.override = ({ url, headers }) => ({
    ...serveFile(files, new URL(url).pathname, headers?.["range"]),
    timing: { firstByteMs: 20, totalMs: 50 },
  });
  peer = () => ({ expiresAt: 5_000_000 });
});

describe("probe modules", () => {
  it.each([
    ["hls", "/v/master.m3u8", ["handshake", "init", "manifest", "playlist", "segment"], 206],
    ["dash", "/v/manifest.mpd", ["handshake", "init", "manifest", "segment"], 206],
    ["key", "/key?kid=1", ["first_byte", "handshake", "transfer"], 200],
    ["http", "/v/master.m3u8", ["first_byte", "handshake", "transfer"], 200],
    ["tls", "/", ["handshake"], null],
  ] as const)("%s succeeds with its phases, status and certificate", async (module, path, phases, statusCode) => {
    const result = await run(module, path);
    expect(result).toMatchObject({ success: true, statusCode, tlsExpiry: 5_000, failureReason: null });
    expect(Object.keys(result.phases).sort()).toEqual(phases);
  });

  it("count the phases of an answer in seconds", async () => {
    expect((await run("http", "/key")).phases).toMatchObject({ first_byte: 0.02, transfer: 0.03 });
  });

  it.each([
    ["hls", "/v/manifest.mpd", "body"],
    ["dash", "/v/master.m3u8", "body"],
    ["hls", "/gone.m3u8", "not_found"],
    ["key", "/v/master.m3u8", "body"],
    ["key", "/gone", "not_found"],
    ["http", "/gone", "not_found"],
  ] as const)("%s fails on %s", async (module, path, failureReason) => {
    expect(await run(module, path)).toMatchObject({ success: false, failureReason });
  });

  it.each([
    [404, "not_found"],
    [401, "unauthorized"],
    [503, "status"],
  ])("http fails on status %s", async (status, failureReason) => {
    http.override = () => ({ status, headers: {}, body: text("") });
    expect(await run("http", "/")).toMatchObject({ success: false, statusCode: status, failureReason });
  });

  it.each(PROBE_MODULES)("%s fails when the handshake does", async (module) => {
    peer = () => {
      throw new HttpFailure("tls", "expired");
    };
    expect(await run(module, "/v/master.m3u8")).toMatchObject({ success: false, failureReason: "tls", tlsExpiry: null });
  });

  it("keep to plain HTTP where the target does, except tls", async () => {
    const plain = "http://we.example";
    http = new FileHttpClient(plain, files);
    peer = () => null;
    const options = { http, certificates: { peer: async () => peer() }, clock: new ManualClock(), timeoutMs: 1_000, origins: [plain] };
    expect(await runProbeModule("hls", `${plain}/v/master.m3u8`, options)).toMatchObject({ success: true, tlsExpiry: null });
    expect(await runProbeModule("tls", `${plain}/`, options)).toMatchObject({ success: false, failureReason: "tls" });
  });

  it.each(["https://elsewhere.example", "https://we.example:8443", "http://we.example"])("ask nothing of %s", async (origin) => {
    for (const module of PROBE_MODULES)
      await expect(run(module, "/v/master.m3u8", origin)).rejects.toMatchObject({ code: "not_configured" });
    expect(http.asked).toEqual([]);
  });

  it("take no target but http URLs, and never show its query", async () => {
    for (const target of ["", "x", "file:///etc/passwd", "ftp://we.example/"]) {
      await expect(run("http", "", target)).rejects.toMatchObject({ code: "probe_target" });
    }
    expect(JSON.stringify(await run("http", "/gone?sig=secret"))).not.toContain("secret");
  });
});
