/** Looks at the copies of media accounts: asset, policies, filters, locators and their keys, and how they play. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { errorCode, PaircastError } from "../../core/errors.ts";
import type { StreamingLocator } from "../../core/media.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { BlobContainer } from "../../core/ports/storage.ts";
import { conflictText } from "../conflict.ts";
import type { Verdict } from "../diff.ts";
import { CommonReads } from "../commonReads.ts";
import { lookAtAsset } from "../lookAsset.ts";
import { policyTasks } from "../policies.ts";
import { replicateAsset, type AmsDeps } from "../run.ts";
import type { JobContext } from "../runJob.ts";
import { ledToGateway, surveySource, type Survey } from "../survey.ts";
import { manifestPaths, verifyServing } from "../verify.ts";
import type { Problem } from "./consequences.ts";
import type { InspectedVideo, Inspection, Inspector } from "./inspector.ts";

export function amsInspector(deps: AmsDeps): Inspector {
  const account = (region: string): MediaAccount => {
    const found = deps.accounts.get(region);
    if (found !== undefined) return found;
    throw new PaircastError("not_configured", `verify in ${region}: the region has no media account`);
  };
  return {
    regions: new Set(deps.accounts.keys()),
    inspect: async (context) => new AmsInspection(deps, context, account).inspect(),
    container: async (region, { identity, signal }) => {
      const asset = await account(region).asset(identity.assetName, signal);
      return asset === null ? null : account(region).container(asset, "read");
    },
    replicate: async (identity, stop) => replicateAsset(deps, identity, stop),
  };
}

class AmsInspection {
  readonly #deps: AmsDeps;
  readonly #context: JobContext;
  readonly #source: MediaAccount;
  readonly #target: MediaAccount;
  readonly #problems: Problem[] = [];

  constructor(deps: AmsDeps, context: JobContext, account: (region: string) => MediaAccount) {
    this.#deps = deps;
    this.#context = context;
    this.#source = account(context.identity.source);
    this.#target = account(context.identity.target);
  }

  async inspect(): Promise<Inspection> {
    const survey = await this.#survey();
    if (survey === null) return { videos: [], problems: this.#problems, source: null, target: null };
    const known = await this.#catalogued(survey);
    const trusted = known.filter(({ locator, entry }) => this.#keysAreCatalogued(locator, entry));
    const asked: Survey = { ...survey, locators: trusted.map(({ locator }) => locator) };
    const videos = trusted.map(({ locator, entry }): InspectedVideo => ({
      entry,
      play: async (checks) => this.#play(asked, locator, checks),
    }));
    const source = this.#source.container(survey.asset, "read");
    return { videos, problems: this.#problems, source, target: this.#isOriginal() ? source : await this.#targetContainer(asked) };
  }

  /** Null where the source does not have it whole (any more): then nothing is said of its copies. */
  async #survey(): Promise<Survey | null> {
    try {
      const { identity, signal } = this.#context;
      const account = this.#source;
      const common = new CommonReads({ account, signal });
      const onlyPlays = this.#isOriginal();
      return await surveySource({ account, common, assetName: identity.assetName, locatorIds: null, onlyPlays, signal });
    } catch (error) {
      if (errorCode(error) !== "source_missing") throw error;
      const detail = error instanceof Error ? error.message : "the source lacks it";
      this.#problems.push({ kind: "source_entity", what: `asset ${this.#context.identity.assetName}`, detail });
      return null;
    }
  }

  async #catalogued({ locators }: Survey): Promise<{ readonly locator: StreamingLocator; readonly entry: CatalogueEntry }[]> {
    const { identity } = this.#context;
    const known = [];
    for (const locator of locators) {
      const entry = (await this.#deps.catalogue.get(locator.streamingLocatorId))?.entry;
      if (entry?.source === identity.source && entry.regions[identity.target] !== undefined) known.push({ locator, entry });
    }
    return known;
  }

  /** A source that has other keys than it was published with is no measure for its copies. */
  #keysAreCatalogued(locator: StreamingLocator, entry: CatalogueEntry): boolean {
    const there = new Map(
      locator.contentKeys.map(({ id, value }) => [id.toLowerCase(), this.#deps.fingerprint(Buffer.from(value, "base64"))]),
    );
    const changed = entry.keys.filter(({ id, fingerprint }) => fingerprint !== null && there.get(id) !== fingerprint);
    if (changed.length === 0) return true;
    this.#problems.push({
      kind: "source_keys",
      what: `locator ${locator.name}`,
      detail: `the source has other content keys (${changed.map(({ id }) => id).join(", ")}) than those it was published with`,
      locatorId: entry.locatorId,
    });
    return false;
  }

  async #targetContainer(survey: Survey): Promise<BlobContainer | null> {
    const wanted = ledToGateway(survey, this.#deps.options.keyUrls ?? []);
    const target = this.#target;
    const common = new CommonReads({ account: target, signal: this.#context.signal });
    const { look, asset } = await lookAtAsset(this.#context, { survey: wanted, target, common, blobs: async () => null });
    this.#add(`asset ${survey.asset.name}`, look.asset, false);
    if (asset === null || look.asset.action === "conflict") return null;
    const needed = new Set(policyTasks(this.#context, wanted, common).map(({ what }) => what));
    for (const { what, verdict, optional } of look.entities) {
      if (optional !== true || verdict.action !== "conflict") this.#add(what, verdict, !needed.has(what));
    }
    for (const { what, verdict } of look.locators) this.#add(what, verdict, false);
    return this.#target.container(asset, "read");
  }

  #add(what: string, verdict: Verdict, dispensable: boolean): void {
    if (verdict.action === "skip") return;
    if (verdict.action === "conflict") {
      const { locatorId, keepsServing } = verdict.conflict;
      const about = locatorId === undefined ? {} : { locatorId: locatorId.toLowerCase() };
      const kind = keepsServing === true ? "entity_differs" : "entity_conflict";
      this.#problems.push({ kind, what, detail: conflictText(verdict.conflict), ...about });
    } else if (verdict.action === "create" && !dispensable) {
      this.#problems.push({ kind: "entity_lost", what, detail: "the target has none (any more)" });
    } else this.#problems.push({ kind: "entity_behind", what, detail: "the target's is not the source's" });
  }

  async #play(survey: Survey, locator: StreamingLocator, checks: Parameters<InspectedVideo["play"]>[0]) {
    const region = this.#deps.regions.get(this.#context.identity.target);
    if (region === undefined)
      throw new PaircastError("not_configured", `verify in ${this.#context.identity.target}: there is no such region`);
    const expected = manifestPaths(await this.#source.paths(locator.name, checks.signal));
    const here = this.#isOriginal() ? expected : manifestPaths(await this.#target.paths(locator.name, checks.signal));
    const { keyPrefix } = this.#deps.options;
    const shown = this.#isOriginal() ? survey : ledToGateway(survey, this.#deps.options.keyUrls ?? []);
    return (await verifyServing({ checks, region, expected, here, survey: shown, keyPrefix }, locator)).findings;
  }

  #isOriginal(): boolean {
    return this.#context.identity.source === this.#context.identity.target;
  }
}
