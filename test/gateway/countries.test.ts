/** A geographic rule from end to end: a real database, an address that a trusted proxy tells, a redirect. */
import { expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { CountryDatabase } from "../../src/core/countryDatabase.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { maxMindFile } from "../fakes/maxMindFile.ts";
import { buildWorld, EVERYWHERE, KEY_ID, LOCATOR } from "./world.ts";

const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;
const BYTES = maxMindFile({
  networks: {
    "198.51.100.0/24": { country: { iso_code: "SE" } },
    "203.0.113.0/24": { country: { iso_code: "FR" } },
    "2001:db8::/32": { country: { iso_code: "SE" } },
  },
});

function gateway() {
  const countries = CountryDatabase.from(BYTES, "countries.mmdb");
  const viewers = { proxies: ["10.0.0.0/8"], country: { database: "countries.mmdb" } };
  const routing = { method: "geographic", rules: [{ countries: ["SE"], regions: ["northeurope"] }] };
  const world = buildWorld({ gateway: { viewers, routing, keys: { mode: "redirect" } }, clock: systemClock, countries });
  world.catalogue.list = [EVERYWHERE];
  const pools = {
    dispatcher: (origin: string): never => {
      throw new Error(`no key host is asked here: ${origin}`);
    },
  };
  const app = buildGateway({ ...world, log: world.logs.log, pools, ready: () => true });
  const origin = async (target: string, peer: string, forwarded?: string) => {
    const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
    const answer = await app.request("/", { headers }, { target, peer: () => peer });
    return answer.headers.get("x-paircast-origin");
  };
  return { ...world, origin };
}

it.each([
  ["himself", "198.51.100.4", undefined, "northeurope"],
  ["himself, elsewhere", "203.0.113.4", undefined, "westeurope"],
  ["himself, over IPv6", "2001:db8::4", undefined, "northeurope"],
  ["himself, on a dual-stack socket", "::ffff:198.51.100.4", undefined, "northeurope"],
  ["through a load balancer", "10.0.0.1", "198.51.100.4", "northeurope"],
  ["through a load balancer, over IPv6", "10.0.0.1", "2001:db8::4", "northeurope"],
  ["through two", "10.0.0.1", "198.51.100.4, 10.0.0.2", "northeurope"],
  ["through somebody else's proxy", "203.0.113.4", "198.51.100.4", "westeurope"],
  ["from a network that is not in it", "192.0.2.1", undefined, "westeurope"],
])("a viewer who asks %s (%s for %s) goes to %s, for his video and for his key", async (_, peer, forwarded, expected) => {
  const { origin } = gateway();
  expect(await origin(MANIFEST, peer, forwarded)).toBe(expected);
  expect(await origin(`/keys/hls?kid=${KEY_ID}`, peer, forwarded)).toBe(expected);
});

it("explains the country of an address", () => {
  const { router } = gateway();
  expect(router.explain(MANIFEST, "GET", { address: "198.51.100.4" })?.routing).toMatchObject({
    country: "SE",
    why: "by geographic rule 1 (country SE, address known)",
  });
});
