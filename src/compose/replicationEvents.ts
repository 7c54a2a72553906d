/** Event Grid's deliveries on their way to the queue of work: a listener, a queue of events, or both. */
import type { Config, RegionConfig } from "../core/config/schema.ts";
import { SenderTokens } from "../core/events/senderTokens.ts";
import { EventWebhook } from "../core/events/webhook.ts";
import { RegionHttpClient } from "../core/http.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import { GatewayServer } from "../gateway/server.ts";
import { EventIntake, followEvents } from "../replicator/events/intake.ts";
import type { EventPlace } from "../replicator/events/looks.ts";
import type { Foundations } from "./foundations.ts";
import { loginOf } from "./stores.ts";

type EventsConfig = NonNullable<Config["replication"]["events"]>;

/** Runs until `stop` aborts. Rejects where it cannot begin. */
export async function takeEvents(foundations: Foundations, queue: WorkQueue, stop: AbortSignal): Promise<void> {
  const { config, clock, log } = foundations;
  const { events } = config.replication;
  if (events === undefined) return;
  const places = config.regions.map(placeOf);
  const intake = new EventIntake({ queue, places, clock, log });
  await takeDeliveries({ events, setting: "replication.events", intake }, foundations, stop);
}

export interface Deliveries {
  readonly events: EventsConfig;
  /** Where `events` stands in the configuration. */
  readonly setting: string;
  readonly intake: Pick<EventIntake, "take">;
}

/** Gives the intake what is delivered until `stop` aborts. Rejects where it cannot begin. */
export async function takeDeliveries({ events, setting, intake }: Deliveries, foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { clock } = foundations;
  await using _listener = await listen(events, setting, foundations, intake);
  if (events.queue !== undefined) await followQueue(events.queue, foundations, intake, stop);
  else if (!stop.aborted) await clock.sleep(FOREVER_MS, stop).catch(() => undefined);
}

/** The longest that a timer takes. */
const FOREVER_MS = 2 ** 31 - 1;

async function listen(
  { webhook }: EventsConfig,
  setting: string,
  { clock, log, onListening }: Foundations,
  intake: Deliveries["intake"],
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  if (webhook === undefined) return stack.move();
  const { listen: address, path, secret = null, entra } = webhook;
  const http = entra === undefined ? null : stack.use(new RegionHttpClient({ origins: [{ url: entra.login, ca: null }] }));
  const tokens = entra === undefined || http === null ? null : new SenderTokens({ policy: entra, http, clock, log });
  const app = new EventWebhook({ path, secret, tokens, take: intake.take, log });
  const where = { listen: address, setting: `${setting}.webhook.listen` };
  const server = stack.use(await GatewayServer.listen({ app, ...where, clock, targets: "parsed" }));
  log.info("events.listening", { url: `${server.url}${path}` });
  onListening(setting, `${server.url}${path}`);
  return stack.move();
}

async function followQueue(
  { url, name, credential }: NonNullable<EventsConfig["queue"]>,
  { clock, random, log }: Foundations,
  intake: Deliveries["intake"],
  stop: AbortSignal,
): Promise<void> {
  const { AzureEventQueue } = await import("../replicator/adapters/azureEventQueue.ts");
  const { ServiceCalls } = await import("../replicator/adapters/serviceCalls.ts");
  const calls = new ServiceCalls({ clock, random });
  await using events = new AzureEventQueue({ url, name, login: await loginOf(credential), calls });
  await followEvents(events, intake, { clock, log }, stop);
}

function placeOf({ name, account }: RegionConfig): EventPlace {
  const none = { region: name, account: null, storage: null, containers: "*" };
  if (account.driver === "static") {
    const { storage, containers } = account;
    return storage === undefined || storage.kind === "s3" ? none : { ...none, storage: storage.url, containers };
  }
  if (account.driver !== "ams") return none;
  const { subscriptionId, resourceGroup, accountName } = account;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaservices/${accountName}`;
  return { ...none, account: id.toLowerCase() };
}
