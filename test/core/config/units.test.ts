import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseUrl, duration, durationFrom, listenAddress, regionName } from "../../../src/core/config/units.ts";

describe("duration", () => {
  test.each([
    ["500ms", 500],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(duration.parse(text)).toBe(ms);
  });

  test.each(["", "5", "s", "-5s", "5 s", "5S", "5sec", ".5s", "5.s", "1h30m", "Infinitys"])("%j is refused with an example", (text) => {
    expect(duration.safeParse(text).error?.issues[0]?.message).toBe("write a duration with its unit: 500ms, 5s, 10m, 1h");
  });

  test("whole seconds keep their length in any unit", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), (n) => {
        expect(duration.parse(`${n}s`)).toBe(duration.parse(`${n * 1000}ms`));
        expect(duration.parse(`${n}h`)).toBe(duration.parse(`${n * 60}m`));
      }),
    );
  });

  test("has a least value", () => {
    expect(durationFrom(100).parse("100ms")).toBe(100);
    expect(durationFrom(100).safeParse("99ms").error?.issues[0]?.message).toBe("must be at least 100 ms");
  });
});

describe("base URL", () => {
  test.each([
    ["https://we.example", "https://we.example"],
    ["https://WE.example:443/", "https://we.example"],
    ["http://127.0.0.11:8081/vod//", "http://127.0.0.11:8081/vod"],
    ["https://we.example/a/../b/", "https://we.example/b"],
  ])("%s becomes %s", (text, normal) => {
    expect(baseUrl.parse(text)).toBe(normal);
  });

  test.each([
    "we.example",
    "//we.example",
    "ftp://we.example",
    "file:///etc/passwd",
    "https://user@we.example",
    "https://user:word@we.example",
    "https://we.example/?sig=1",
    "https://we.example/#top",
    "https://",
  ])("%s is refused", (text) => {
    expect(baseUrl.safeParse(text).success).toBe(false);
  });
});

describe("listen address", () => {
  test.each([
    [":8080", { host: "", port: 8080 }],
    ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:9090", { host: "::1", port: 9090 }],
  ])("%s", (text, address) => {
    expect(listenAddress.parse(text)).toEqual(address);
  });

  test.each(["8080", "localhost", "localhost:", "localhost:65536", "localhost:-1", "::1:9090", "http://localhost:80", "a b:80"])(
    "%s is refused",
    (text) => {
      expect(listenAddress.safeParse(text).success).toBe(false);
    },
  );
});

describe("region name", () => {
  test.each(["westeurope", "a", "eu-west-1", "0"])("%s", (name) => {
    expect(regionName.parse(name)).toBe(name);
  });

  test.each(["", "-eu", "West", "west europe", "west.europe", "a".repeat(41)])("%j is refused", (name) => {
    expect(regionName.safeParse(name).success).toBe(false);
  });
});
