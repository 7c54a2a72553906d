/** Configuration -> encoding: the scheduler of `serve`, and what the admin API asks. */
import type { Config } from "../core/config/schema.ts";
import type { AccountOverride, Transform } from "../core/encoding.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { GridEvent } from "../core/events/envelope.ts";
import type { EncodingService } from "../core/ports/encodingService.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import { accountOverride } from "../encoding/accountOverride.ts";
import { MediaAccountInputs } from "../encoding/accountInputs.ts";
import { InputUploads } from "../encoding/inputUploads.ts";
import { sightingsIn } from "../encoding/eventRegions.ts";
import { OutputPublisher, type OutputPublisherOptions } from "../encoding/outputPublisher.ts";
import { DEFAULT_POLICY, type EncodingPolicy } from "../encoding/policy.ts";
import { DEFAULT_TIMES, Scheduler, type AccountSetting } from "../encoding/scheduler.ts";
import { RecordsService } from "../encoding/service.ts";
import { lookPiece, pieceText } from "../replicator/work/piece.ts";
import { noticesOf } from "./encodingNotices.ts";
import type { Foundations } from "./foundations.ts";
import { takeDeliveries } from "./replicationEvents.ts";

type EncodingConfig = NonNullable<Config["encoding"]>;

/** Jobs that one process has in hand, and calls of an account at a time. */
const CONCURRENCY = { jobs: 64, callsPerAccount: 8 };
/** How many times the replicator looks at an asset whose locator has just been made. */
const LOOKS = 5;
const DEFAULT_IN_FLIGHT = 10;
const MEASURE_MS = 5_000;

/** Null where nothing is encoded. */
export function encodingService(foundations: Foundations): EncodingService | null {
  const { config, encoding: store, clock, random, view, accounts, log } = foundations;
  if (config.encoding === undefined || store === null) return null;
  return new RecordsService({
    store,
    clock,
    random,
    policy: policyOf(foundations.config, config.encoding),
    transforms: transformsOf(config.encoding),
    accounts: placesOf(config, config.encoding),
    inputRegions: new Set(accounts.keys()),
    overridden: overriddenBy(foundations),
    catalogue: config.encoding.publish === undefined ? null : view,
    uploads: uploadsOf(foundations, config.encoding),
    log,
  });
}

/** Runs until `stop` aborts; at once where nothing is encoded. Never rejects. */
export async function encodeInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { config, log } = foundations;
  if (config.encoding === undefined || stop.aborted) return;
  try {
    await encode(foundations, config.encoding, stop);
  } catch (error) {
    log.error("encoding.unavailable", { code: errorCode(error), error: errorChain(error) });
  }
}

async function encode(foundations: Foundations, config: EncodingConfig, stop: AbortSignal): Promise<void> {
  const { encoding: store, openWork, clock, random, log } = foundations;
  if (store === null) return;
  const queue = config.publish === undefined || openWork === null ? null : await openWork();
  await using _queue = queue;
  const transforms = transformsOf(config);
  const scheduler = new Scheduler({
    store,
    accounts: await accountsOf(foundations, config),
    inputs: new MediaAccountInputs({ regions: foundations.accounts, catalogue: foundations.view, clock }),
    publisher: publisherOf(foundations, config, { queue, tell: await noticesOf(config.notify, foundations) }),
    transforms: (name) => transforms.get(name) ?? null,
    overridden: overriddenBy(foundations),
    policy: policyOf(foundations.config, config),
    times: { ...DEFAULT_TIMES, tickMs: config.tick, exchangeMs: Math.min(DEFAULT_TIMES.exchangeMs, config.health.interval) },
    concurrency: CONCURRENCY,
    clock,
    random,
    log,
    onTransition: ({ to }) => {
      foundations.metrics.encoding.changed(to.account, to.status);
    },
  });
  const events = takeEvents(foundations, config, scheduler, stop);
  await Promise.all([scheduler.run(stop), events, measure(foundations, store, scheduler, stop)]);
}

async function measure({ metrics, clock }: Foundations, store: EncodingStore, { book }: Scheduler, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      metrics.encoding.jobs(await store.count());
      metrics.encoding.outbox(((await store.oldestMessageAt()) ?? 0) / 1000);
      const places = await store.places();
      for (const { account, status } of book.states) metrics.encoding.account(account, status, places.get(account) ?? 0);
    } catch {
      // The scheduler says that the records cannot be reached; the figures stay as they were.
    }
    await clock.sleep(MEASURE_MS, stop).catch(() => undefined);
  }
}

/** Without events accounts are asked, so that a listener that cannot begin stops nothing else. */
async function takeEvents(foundations: Foundations, { events }: EncodingConfig, scheduler: Scheduler, stop: AbortSignal): Promise<void> {
  if (events === undefined) return;
  const { config, log } = foundations;
  const regions = config.regions.flatMap(({ name, account }) =>
    account.driver === "ams" ? [{ region: name, accountName: account.accountName }] : [],
  );
  const take = async (delivered: readonly GridEvent[]): Promise<void> => scheduler.observe(sightingsIn(delivered, regions));
  try {
    await takeDeliveries({ events, setting: "encoding.events", intake: { take } }, foundations, stop);
  } catch (error) {
    log.error("encoding.events_unavailable", { code: errorCode(error), error: errorChain(error) });
  }
}

interface Listeners {
  readonly queue: WorkQueue | null;
  readonly tell: OutputPublisherOptions["tell"];
}

function publisherOf(foundations: Foundations, { publish }: EncodingConfig, { queue, tell }: Listeners): OutputPublisher {
  const { config, accounts, metrics, clock, log } = foundations;
  return new OutputPublisher({
    regions: accounts,
    policy:
      publish === undefined
        ? null
        : { streamingPolicyName: publish.streamingPolicy, contentKeyPolicyName: publish.contentKeyPolicy ?? null },
    look: async (region, asset) => queue?.put(pieceText(lookPiece({ region, asset, at: clock.now(), full: true, again: LOOKS }))),
    tell,
    onTold: ({ kind }) => {
      metrics.encoding.told(kind);
    },
    playbackBase: config.gateway.publicUrl ?? "",
    clock,
    log,
  });
}

/** The SDK is loaded where it is used. */
async function accountsOf({ config, clock }: Foundations, encoding: EncodingConfig): Promise<AccountSetting[]> {
  const { AzureEncodingAccount } = await import("../encoding/adapters/azureEncoding.ts");
  const { createMediaClient } = await import("../replicator/adapters/azureMediaClient.ts");
  const { createCredential } = await import("../replicator/adapters/credentials.ts");
  const places = placesOf(config, encoding);
  return config.regions.flatMap(({ name, account }) => {
    const maxInFlight = places.get(name);
    if (account.driver !== "ams" || maxInFlight === undefined) return [];
    const { endpoint, subscriptionId, resourceGroup, accountName } = account;
    const credential = createCredential(account.credential, { endpoint, subscriptionId, clock });
    // Each answer is judged, and what failed is asked again by the scheduler, in this account or elsewhere.
    const client = createMediaClient({ endpoint, subscriptionId, credential, maxRetries: 1 });
    const where = { endpoint, subscriptionId, resourceGroup, accountName };
    return [{ account: new AzureEncodingAccount({ name, client, ...where, clock }), maxInFlight }];
  });
}

function placesOf({ regions }: Config, { accounts }: EncodingConfig): ReadonlyMap<string, number> {
  if (accounts !== undefined) return new Map(accounts.map(({ region, maxInFlight }) => [region, maxInFlight]));
  return new Map(regions.filter(({ account }) => account.driver === "ams").map(({ name }) => [name, DEFAULT_IN_FLIGHT]));
}

function transformsOf({ transforms }: EncodingConfig): ReadonlyMap<string, Transform> {
  return new Map(transforms.map(({ name, description = null, outputs }) => [name, { name, description, outputs }]));
}

/** Files are kept where they can be encoded, and, where that is in too few regions, in others that have a media account. */
function keepersOf({ regions }: Config, { accounts: encoders = [] }: EncodingConfig): readonly string[] {
  const able = regions.filter(({ account }) => account.driver === "ams").map(({ name }) => name);
  return [...new Set([...encoders.map(({ region }) => region), ...able])];
}

function uploadsOf({ config, accounts, clock, log }: Foundations, encoding: EncodingConfig) {
  const [regions, { uploads }] = [keepersOf(config, encoding), encoding];
  return { uploads: new InputUploads({ regions: accounts, clock, log }), regions, copies: uploads.copies, maxBytes: uploads.maxSize, log };
}

function overriddenBy({ overrides }: Foundations): (account: string) => AccountOverride | null {
  return (account) => accountOverride(overrides.active(), account);
}

function policyOf(config: Config, encoding: EncodingConfig): EncodingPolicy {
  const { uploads, limits, health, check, retention } = encoding;
  const { job, account } = DEFAULT_POLICY;
  return {
    job: {
      ...job,
      uploadMs: uploads.within,
      keep: { regions: keepersOf(config, encoding), copies: uploads.copies },
      // By then it is known anew which regions answer.
      spreadMs: health.interval,
      submitMs: limits.submit,
      queuedMs: limits.queued,
      scheduledMs: limits.scheduled,
      stalledMs: limits.stalled,
      aliveMs: limits.alive,
      maxAttempts: limits.attempts,
      checkMs: check,
      recheckMs: Math.min(job.recheckMs, check),
      cleanMs: Math.min(job.cleanMs, check),
      cleanLongestMs: Math.min(job.cleanLongestMs, 2 * check),
      retentionMs: retention,
    },
    account: { ...account, pingMs: health.interval, fall: health.fall, fallMs: health.fallFor, rise: health.rise, holdMs: health.hold },
  };
}
