import { describe, expect, it } from "vitest";
import { HttpFailure } from "../../../src/core/http.ts";
import { keyedFingerprint } from "../../../src/core/fingerprint.ts";
import type { CertificateSource, HttpAnswer, HttpQuestion } from "../../../src/core/ports/http.ts";
import { probeContext } from "../../../src/health/probes/context.ts";
import { keyProbe } from "../../../src/health/probes/keys.ts";
import { look } from "../../../src/health/probes/probe.ts";
import { signalsOf, type Measured } from "../../../src/health/probes/signals.ts";
import { streamingProbe } from "../../../src/health/probes/streaming.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { FileHttpClient } from "../../fakes/fileHttpClient.ts";
import { box, packageVideo, serveFile, testKey, type Files } from "../../fakes/packagedVideo.ts";

const DAY_MS = 86_400_000;
const limits = { certificateWarn: 7 * DAY_MS, clockSkew: 5_000, firstByte: 1_000, throughputFactor: 1.2 };
const fine: Measured = {
  certificateLeft: 30 * DAY_MS,
  skew: 900,
  slowest: { what: "manifest", firstByteMs: 80 },
  reads: [{ what: "video", bitrate: 800_000, bytes: 65_536, transferMs: 100 }],
};

function kinds(measured: Partial<Measured>): string[] {
  return signalsOf({ ...fine, ...measured }, limits).map(({ kind }) => kind);
}

describe("signals", () => {
  it("are none where all is within its limit, or not known", () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({ certificateLeft: null, skew: null, slowest: null, reads: [] })).toEqual([]);
  });

  it.each([
    ["certificate", { certificateLeft: 7 * DAY_MS - 1 }, { certificateLeft: 7 * DAY_MS }],
    ["clock", { skew: 6_001 }, { skew: 6_000 }],
    ["clock", { skew: -6_001 }, { skew: -6_000 }],
    ["first_byte", { slowest: { what: "manifest", firstByteMs: 1_001 } }, { slowest: { what: "manifest", firstByteMs: 1_000 } }],
  ])("%s beyond its limit only", (kind, beyond, within) => {
    expect(kinds(beyond)).toEqual([kind]);
    expect(kinds(within)).toEqual([]);
  });

  it("throughput below its factor, of reads that are large and slow enough to tell", () => {
    const read = { what: "video", bitrate: 800_000, bytes: 65_536, transferMs: 600 };
    expect(kinds({ reads: [read, read] })).toEqual(["throughput"]);
    expect(kinds({ reads: [{ ...read, transferMs: 500 }] })).toEqual([]);
    expect(kinds({ reads: [{ ...read, bytes: 16_000 }] })).toEqual([]);
    expect(kinds({ reads: [{ ...read, bitrate: 50_000_000, transferMs: 49 }] })).toEqual([]);
    expect(kinds({ reads: [{ ...read, bitrate: null }] })).toEqual([]);
  });

  it("say the figure and the limit", () => {
    const said = signalsOf({ certificateLeft: DAY_MS, skew: -9_000, slowest: null, reads: [] }, limits).map(({ detail }) => detail);
    expect(said).toEqual(["the certificate ends in 1.0 days, limit 7.0 days", "its clock is 9.0 s behind, limit 5.0 s"]);
  });
});

interface Stage {
  readonly clock: ManualClock;
  readonly http: FileHttpClient;
  readonly certificates: CertificateSource & { asked: number; answer: () => number };
  readonly well: (question: HttpQuestion) => HttpAnswer;
  run(service: "streaming" | "keys"): Promise<string>;
}

function stage(): Stage {
  const clock = new ManualClock();
  const files = packageVideo("/v/");
  for (const track of ["v1", "v2", "a1"]) files.set(`/v/${track}/3.m4s`, Buffer.concat([box("moof", 100), box("mdat", 90_000)]));
  files.set("/k", testKey("key"));
  const http = new FileHttpClient("https://we.example", files);
  const region = {
    name: "we",
    streaming: "https://we.example",
    keys: "https://we.example",
    canary: { manifest: "/v/master.m3u8", key: "/k" },
  };
  const certificates = {
    asked: 0,
    answer: () => clock.now() + 30 * DAY_MS,
    async peer() {
      this.asked += 1;
      return { expiresAt: this.answer() };
    },
  };
  const fingerprint = keyedFingerprint(testKey("secret"));
  const canaries = { canary: async () => null };
  const context = probeContext([region], { http, canaries, timeoutMs: 1_000, fingerprint, clock, signals: limits, certificates });
  const probes = { streaming: streamingProbe(region, context), keys: keyProbe(region, region.keys, context) };
  const run = async (service: "streaming" | "keys"): Promise<string> => {
    const { outcome } = await look(probes[service], { clock, timeoutMs: 1_000, signal: new AbortController().signal });
    return outcome.ok ? (outcome.signals ?? []).map(({ kind }) => kind).join() : outcome.reason;
  };
  const well = ({ url, headers }: HttpQuestion): HttpAnswer => answered(files, clock, url, headers?.["range"]);
  http.override = well;
  return { clock, http, certificates, well, run };
}

function answered(files: Files, clock: ManualClock, url: string, range: string | undefined): HttpAnswer {
  const served = serveFile(files, new URL(url).pathname, range);
  const headers = { date: new Date(clock.now()).toUTCString(), ...served.headers };
  return { ...served, headers, timing: { firstByteMs: 20, totalMs: 30 } };
}

describe("what the probes measure", () => {
  it("is nothing of note on a good region, with one handshake a second for both services", async () => {
    const { run, certificates, clock } = stage();
    expect([await run("streaming"), await run("keys"), await run("streaming")]).toEqual(["", "", ""]);
    expect(certificates.asked).toBe(1);
    await clock.advance(1_000);
    await run("keys");
    expect(certificates.asked).toBe(2);
  });

  it("a certificate near its end degrades both services; one that is refused, or nobody that answers, fails them", async () => {
    const { run, certificates, clock } = stage();
    certificates.answer = () => clock.now() + DAY_MS;
    expect([await run("streaming"), await run("keys")]).toEqual(["certificate", "certificate"]);
    for (const reason of ["tls", "refused"] as const) {
      await clock.advance(2_000);
      certificates.answer = () => {
        throw new HttpFailure(reason, "planted");
      };
      expect([await run("streaming"), await run("keys")]).toEqual([reason, reason]);
    }
  });

  it("a clock that is wrong in every answer, and not where a cache shows an old one", async () => {
    const { run, http, clock, well } = stage();
    const dated = (ms: number, of: RegExp, age = "0"): void => {
      http.override = (question) => {
        const answer = well(question);
        if (!of.test(question.url)) return answer;
        return { ...answer, headers: { ...answer.headers, date: new Date(clock.now() + ms).toUTCString(), age } };
      };
    };
    dated(3_600_000, /./);
    expect(await run("streaming")).toBe("clock");
    dated(-60_000, /./);
    expect(await run("streaming")).toBe("clock");
    dated(-60_000, /./, "60");
    expect(await run("streaming")).toBe("");
    dated(-60_000, /m4s/);
    expect(await run("streaming")).toBe("");
  });

  it.each([
    ["a slow manifest", /master/, { firstByteMs: 1_500, totalMs: 1_510 }, "first_byte"],
    ["a slow segment", /m4s/, { firstByteMs: 1_500, totalMs: 1_510 }, "first_byte"],
    ["a segment that trickles", /v\d\/3.m4s/, { firstByteMs: 20, totalMs: 900 }, "throughput"],
  ])("%s", async (_, of, timing, kind) => {
    const { run, http, well } = stage();
    http.override = (question) => (of.test(question.url) ? { ...well(question), timing } : well(question));
    expect(await run("streaming")).toBe(kind);
    expect(await run("keys")).toBe("");
  });
});
