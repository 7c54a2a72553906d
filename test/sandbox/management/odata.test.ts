import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/sandbox/contracts.ts";
import { asText, isList } from "../../../src/sandbox/management/fields.ts";
import { LISTINGS, page, pageByName, type Listing } from "../../../src/sandbox/management/odata.ts";

const entity = (name: string, created: string, state = "Finished"): JsonObject => ({ name, properties: { created, state } });
const BODIES = [
  entity("beta", "2026-03-01T12:00:00.2Z", "Processing"),
  entity("Alpha", "2026-03-01T12:00:00.1234567Z"),
  entity("gamma", "2026-03-01T11:00:00Z", "Queued"),
];

function list(query: string, listing: Listing = LISTINGS.streamingLocators, pageSize = 100, bodies: readonly JsonObject[] = BODIES) {
  const url = new URL(`http://management.test/list?api-version=1&${query}`);
  const { value, "@odata.nextLink": next } = page(bodies, listing, url, pageSize);
  const names = isList(value ?? null) ? (value as readonly JsonObject[]).map((body) => asText(body["name"])) : [];
  return { names, next: typeof next === "string" ? next : null };
}

describe("lists", () => {
  it("are ordered by name without regard to case", () => {
    expect(list("").names).toEqual(["Alpha", "beta", "gamma"]);
  });

  it.each([
    ["$filter=name eq 'ALPHA'", ["Alpha"]],
    ["$filter=name ne 'alpha'", ["beta", "gamma"]],
    ["$filter=properties/created ge 2026-03-01T12:00:00.1234567Z", ["Alpha", "beta"]],
    ["$filter=properties/created gt 2026-03-01T12:00:00.1234567Z", ["beta"]],
    ["$filter=properties/created lt 2026-03-01T12:00:00.2000Z and properties/created gt 2026-03-01", ["Alpha", "gamma"]],
    ["$filter=(name eq 'beta') or (name eq 'gamma')", ["beta", "gamma"]],
    ["$filter=name eq 'beta' or name eq 'gamma' and properties/created gt 2026-03-01T11:30:00Z", ["beta"]],
    ["$filter=name eq 'it''s'", []],
    ["$orderby=name desc", ["gamma", "beta", "Alpha"]],
    ["$orderby=properties/created", ["gamma", "Alpha", "beta"]],
    ["$top=2", ["Alpha", "beta"]],
  ])("%s", (query, names) => {
    expect(list(query).names).toEqual(names);
  });

  it("filter jobs by a state as the specification writes it", () => {
    expect(list("$filter=properties/state eq Microsoft.Media.JobState'processing'", LISTINGS.jobs).names).toEqual(["beta"]);
    expect(list("$filter=properties/state ne Microsoft.Media.JobState'Processing'", LISTINGS.jobs).names).toEqual(["Alpha", "gamma"]);
  });

  it.each([
    "$filter=startswith(name,'a')",
    "$filter=name",
    "$filter=name eq",
    "$filter=name eq alpha",
    "$filter=name like 'a'",
    "$filter=properties/assetName eq 'a'",
    "$filter=properties/created eq 'monday'",
    "$filter=name eq 'a' and",
    "$filter=(name eq 'a'",
    "$filter=name eq 'a')",
    "$filter=name eq 'a' ~ b",
    "$filter=",
    "$orderby=properties/assetName",
    "$orderby=name sideways",
    "$top=0",
    "$top=many",
    "$skip=1",
  ])("refuse %s", (query) => {
    expect(() => list(query)).toThrow(/not supported|is not a positive number/);
  });

  it("refuse what a type does not offer", () => {
    expect(() => list("$filter=name eq 'a'", LISTINGS.plain)).toThrow(/not supported/);
    expect(() => list("$filter=name gt 'a'", LISTINGS.jobs)).toThrow(/cannot be compared/);
    expect(() => list("$top=1", LISTINGS.jobs)).toThrow(/not supported/);
  });

  it("name the last entity in $skiptoken", () => {
    const first = list("", LISTINGS.streamingLocators, 2);
    expect(first.names).toEqual(["Alpha", "beta"]);
    expect(new URL(first.next ?? "").searchParams.get("$skiptoken")).toBe("beta");
  });

  it("cost a page where the entities are in order already, and are the same", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9 _.-]{0,9}$/), {
      selector: (name) => name.toLowerCase(),
      maxLength: 12,
    });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 4 }), fc.option(fc.stringMatching(/^[a-zA-Z]{1,2}$/)), (all, pageSize, after) => {
        const sorted = all.toSorted((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1)).map((name) => ({ name }));
        const bodies = sorted.map(({ name }) => entity(name, "2026-03-01T12:00:00Z"));
        const url = new URL(`http://management.test/list?api-version=1${after === null ? "" : `&$skiptoken=${after}`}`);
        let made = 0;
        const bodyOf = ({ name }: { readonly name: string }): JsonObject => {
          made += 1;
          return entity(name, "2026-03-01T12:00:00Z");
        };
        const listing = LISTINGS.streamingLocators;
        expect(pageByName(sorted, bodyOf, listing, url, pageSize)).toEqual(page(bodies, listing, url, pageSize));
        expect(made).toBeLessThanOrEqual(pageSize + 1);
      }),
    );
    const ordered = new URL("http://management.test/list?api-version=1&$orderby=name desc");
    expect(pageByName([], () => ({}), LISTINGS.streamingLocators, ordered, 1)).toBeNull();
  });

  it("give every entity once through all pages, in every order", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9 _.-]{0,9}$/), {
      selector: (name) => name.toLowerCase(),
      maxLength: 12,
    });
    const orders = fc.constantFrom("", "$orderby=name desc", "$orderby=properties/created desc", "$orderby=properties/created", "$top=7");
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 4 }), orders, (all, pageSize, order) => {
        const bodies = all.map((name, at) => entity(name, `2026-03-01T12:00:0${at % 3}Z`));
        const whole = list(order, LISTINGS.streamingPolicies, 100, bodies).names;
        const paged: string[] = [];
        let query: string | null = order;
        while (query !== null) {
          const { names: some, next } = list(query, LISTINGS.streamingPolicies, pageSize, bodies);
          paged.push(...some);
          query = next === null ? null : new URL(next).search.slice(1);
        }
        expect(paged).toEqual(whole);
      }),
    );
  });
});
