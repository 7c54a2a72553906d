import { generate } from "selfsigned";
import { describe, expect, it } from "vitest";
import { loadConfig, parseConfig, type ConfigSources } from "../../../src/core/config/load.ts";
import { ConfigError } from "../../../src/core/config/problems.ts";

const minimal = "regions:\n  - name: westeurope\n    streaming: https://we.example\n";

function sources(files: Record<string, string> = {}, env: Record<string, string> = {}): ConfigSources {
  return {
    env,
    readFile: (path) => {
      const text = Object.entries(files).find(([name]) => path.endsWith(name))?.[1];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
  };
}

function problems(text: string, given: ConfigSources = sources()): string {
  try {
    parseConfig("paircast.yaml", text, given);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "valid";
}

/** name -> [file, exact message] */
const BAD: Record<string, readonly [string, string]> = {
  "an empty file": ["", "paircast.yaml: is empty; start from paircast.example.yaml"],
  "a file of comments": ["# later\n", "paircast.yaml: is empty; start from paircast.example.yaml"],
  "a missing authority": [
    `${minimal}    caFile: gone.pem\n`,
    "paircast.yaml:4: regions[0].caFile: the file gone.pem cannot be read (ENOENT); name the PEM file of a certificate authority",
  ],
  "no region": ["regions: []", "paircast.yaml:1: regions: name at least one region"],
  "not YAML": [
    "regions: [",
    "paircast.yaml:1: is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  "a misspelt key": [
    `${minimal}healht:\n  fall: 1\n`,
    "paircast.yaml:4: healht: is not a known setting here; check its spelling and its indentation",
  ],
  "an unknown key inside a region": [
    `${minimal}    weight: 3\n`,
    "paircast.yaml:4: regions[0].weight: is not a known setting here; check its spelling and its indentation",
  ],
  "a region name with capitals": [
    minimal.replace("westeurope", "WestEurope"),
    "paircast.yaml:2: regions[0].name: use lower-case letters, digits and hyphens, at most 40",
  ],
  "a URL that is none": [
    minimal.replace("https://we.example", "we.example"),
    "paircast.yaml:3: regions[0].streaming: write an absolute http:// or https:// URL without user, query or fragment",
  ],
  "a URL with a user": [
    minimal.replace("https://we.example", "https://me:pw@we.example"),
    "paircast.yaml:3: regions[0].streaming: write an absolute http:// or https:// URL without user, query or fragment",
  ],
  "a duration without unit": [
    `${minimal}health:\n  interval: 5\n`,
    "paircast.yaml:5: health.interval: write a duration with its unit: 500ms, 5s, 10m, 1h",
  ],
  "a duration that is too short": [`${minimal}health:\n  interval: 10ms\n`, "paircast.yaml:5: health.interval: must be at least 100 ms"],
  "a fast interval that is slow": [
    `${minimal}health:\n  interval: 1s\n  fastInterval: 2s\n`,
    "paircast.yaml:6: health.fastInterval: is longer than health.interval; it is the interval while a change is pending, so make it shorter",
  ],
  "an admin listener open to the world": [
    `${minimal}admin:\n  listen: 0.0.0.0:9090\n`,
    "paircast.yaml:5: admin.listen: is not a loopback address: set admin.token, so that the admin pages are closed to others",
  ],
  "both listeners on one port": [
    `${minimal}admin:\n  listen: 127.0.0.1:8080\n`,
    "paircast.yaml:5: admin.listen: is the address of gateway.listen; the two listeners need an address each",
  ],
  "two regions of one name": [
    `${minimal}  - name: westeurope\n    streaming: https://ne.example\n`,
    "paircast.yaml:4: regions[1].name: another region has this name; names must differ",
  ],
  "a replication source that is no region": [
    `${minimal}replication:\n  sources: [northeurope]\n`,
    "paircast.yaml:5: replication.sources[0]: no region is named northeurope; regions are westeurope",
  ],
  "an alias without an anchor": [
    `${minimal}health: { interval: *later }\n`,
    "paircast.yaml: is not YAML: Unresolved alias (the anchor must be set before the alias): later",
  ],
  "a key URL that would be rewritten twice": [
    `${minimal}replication:\n  keyUrls:\n    - { from: https://keys.example, to: https://keys.example/gateway }\n`,
    "paircast.yaml:6: replication.keyUrls[0].to: what is led there would be rewritten again, because it begins with https://keys.example; name another URL",
  ],
  "a key URL that an earlier one hides": [
    `${minimal}replication:\n  keyUrls:\n    - { from: https://keys.example, to: https://gw.example/keys }\n    - { from: https://keys.example/drm, to: https://gw.example/keys/drm }\n`,
    "paircast.yaml:7: replication.keyUrls[1].from: this never fits, because https://keys.example stands before it; put this one first",
  ],
  "a replication target without account": [
    `${minimal}replication:\n  targets: [westeurope]\n`,
    "paircast.yaml:5: replication.targets[0]: region westeurope has neither a media account nor storage, so nothing can be replicated there",
  ],
  "a keys host where no region has keys": [
    `${minimal}gateway:\n  keys:\n    host: keys.example\n`,
    "paircast.yaml:6: gateway.keys.host: no region has a `keys` URL, so no key request could be answered; add one or remove this",
  ],
  "a prefix under the key prefix": [
    `${minimal}gateway:\n  prefixes: [/keys/vod/]\n`,
    "paircast.yaml:5: gateway.prefixes[0]: lies under keys.prefix /keys, so it could never match",
  ],
  "static storage that no prefix leads to": [
    `${minimal}    account: {driver: static, storage: {url: "https://a.blob.example"}}\n`,
    'paircast.yaml: gateway.prefixes: region westeurope has its videos at /{container}/, where no request could reach them: list "/" here',
  ],
  "credentials over plain http": [
    `${minimal}    account: {driver: ams, endpoint: "http://ams.example", subscriptionId: s, resourceGroup: g, accountName: a}\n`,
    "paircast.yaml:4: regions[0].account.endpoint: credentials are sent here: use https (plain http is allowed on a loopback address only)",
  ],
  "a key of one of several canaries without key delivery": [
    `${minimal}    canaries: [{manifest: /a.m3u8}, {key: "/?kid=1"}]\n`,
    "paircast.yaml:4: regions[0].canaries[1].key: the region has no `keys` URL, so this key could never be asked for",
  ],
  "a licence server without an address": [
    `${minimal}    canaries: [{manifest: /a.m3u8, licence: true}]\n`,
    "paircast.yaml:4: regions[0].canaries[0].licence: has no effect without canary.key",
  ],
  "a canary key without key delivery": [
    `${minimal}    canary: {key: "/?kid=1"}\n`,
    "paircast.yaml:4: regions[0].canary.key: the region has no `keys` URL, so this key could never be asked for",
  ],
  "a missing environment variable": [
    minimal.replace("https://we.example", "https://${HOST}"),
    "paircast.yaml:3: the environment variable HOST is not set",
  ],
  "a missing secret file": [
    `${minimal}admin:\n  token: file:secrets/admin\n`,
    "paircast.yaml:5: the file secrets/admin cannot be read (ENOENT)",
  ],
};

describe("a bad configuration is refused with file, line, place and reason", () => {
  it.each(Object.entries(BAD))("%s", (_, [text, message]) => {
    expect(problems(text)).toBe(message);
  });

  it("lists every problem at once", () => {
    expect(problems("regions:\n  - name: A\n    streaming: x\n").split("\n")).toHaveLength(2);
  });

  it("of a syntax error tells the first problem only: the others follow from it", () => {
    expect(problems("regions:\n  - name: a\n   streaming: [\n  x: }\n").split("\n")).toHaveLength(1);
  });

  it.each([
    ["no certificate", "a text\n", "has no certificate in PEM form (-----BEGIN CERTIFICATE-----)"],
    [
      "a key",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
      "has no certificate in PEM form (-----BEGIN CERTIFICATE-----)",
    ],
  ])("refuses an authority that is %s", (_, pem, message) => {
    const text = `${minimal}    caFile: ca.pem\n`;
    expect(problems(text, sources({ "ca.pem": pem }))).toBe(`paircast.yaml:4: regions[0].caFile: the file ca.pem ${message}`);
  });

  it("takes an authority of several certificates, and refuses one of which is damaged", async () => {
    const { cert } = await generate([{ name: "commonName", value: "test" }]);
    const text = `${minimal}    caFile: ca.pem\n`;
    expect(problems(text, sources({ "ca.pem": `# ours\n${cert}\n${cert}` }))).toBe("valid");
    const damaged = cert.replace(/\n[A-Za-z0-9+/]{20}/, "\n!!!!");
    expect(problems(text, sources({ "ca.pem": `${cert}\n${damaged}` }))).toContain("certificate 2 of 2 in the file ca.pem cannot be read");
  });

  it("names a file that is not there", () => {
    expect(() => loadConfig("gone.yaml", sources())).toThrow("gone.yaml: cannot be read (ENOENT); name the file with --config");
  });
});

describe("a good configuration", () => {
  it("gets the defaults written at the fields, also inside groups that are given in part", () => {
    const config = parseConfig("paircast.yaml", `${minimal}gateway:\n  keys:\n    mode: proxy\n`, sources());
    expect(config.gateway.keys).toEqual({ prefix: "/keys", mode: "proxy", timeout: 2000, hedge: 100, hedgePost: true, cross: true });
    expect(config.health).toMatchObject({ interval: 5000, fastInterval: 1000, fall: 2, rise: 3 });
    expect(config.admin.listen).toEqual({ host: "127.0.0.1", port: 9090 });
  });

  it("takes a base URL without its trailing slash", () => {
    const config = parseConfig("paircast.yaml", minimal.replace("https://we.example", "https://WE.example:443/vod/"), sources());
    expect(config.regions[0]?.streaming).toBe("https://we.example/vod");
  });

  it("resolves environment and file references, and lets a literal ${ stand", () => {
    const text = `${minimal}admin:\n  token: file:secrets/admin\nstate:\n  path: \${DATA}/$\${x}.db\n`;
    const config = parseConfig(
      "/etc/paircast/paircast.yaml",
      text,
      sources({ "/etc/paircast/secrets/admin": "0123456789abcdef\n" }, { DATA: "/data" }),
    );
    expect(config.admin.token).toBe("0123456789abcdef");
    expect(config.state.path).toBe("/data/${x}.db");
  });

  it("never shows a secret in the message of a problem", () => {
    const text = `${minimal}admin:\n  token: \${TOKEN}\nhealht: {}\n`;
    expect(problems(text, sources({}, { TOKEN: "hunter2hunter2hunter2" }))).not.toContain("hunter2");
  });
});
