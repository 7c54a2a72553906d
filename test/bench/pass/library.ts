/** Two emulated media accounts with the same large library, metadata only, behind HTTP servers that count what they are asked. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { systemClock as clock, systemRandom as random } from "../../../src/core/clock.ts";
import { createMediaAccount } from "../../../src/sandbox/management/mediaAccount.ts";
import { PLAIN_LOCATOR } from "../../fakes/plainLocator.ts";

export const SUBSCRIPTION = "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10";
export const RESOURCE_GROUP = "media";
export const API_KEY = "the-api-key-of-the-account";
/** Locators in a page of a list, as the emulator gives them unless it is told otherwise. */
export const PAGE_SIZE = 1000;

export interface LibraryRegion extends AsyncDisposable {
  readonly name: string;
  readonly endpoint: string;
  /** Requests since the last `reset`: of the list of locators, and all others but those for a token. */
  readonly counts: { lists: number; others: number };
  publish(number: number): void;
  reset(): void;
}

export function locatorId(number: number): string {
  return `${number.toString(16).padStart(8, "0")}-1f1e-4d3c-9d57-0d8f6a1f2b3c`;
}

/** Long names, as people give them: they are most of what a catalogue entry holds. */
export function assetName(number: number): string {
  return `season-${String(number % 40).padStart(2, "0")}-episode-${String(number).padStart(7, "0")}-encoded-h264-adaptive`;
}

/** Starts a region with so many videos in it. */
export async function startLibrary(name: string, videos: number): Promise<LibraryRegion> {
  const account = createMediaAccount({
    account: { subscriptionId: SUBSCRIPTION, resourceGroup: RESOURCE_GROUP, name: `${name}media` },
    location: "westeurope",
    storage: { accountName: `${name}storage`, accountKey: "", url: "http://127.0.0.1:1/none" },
    apiKey: API_KEY,
    clock,
    random,
    switches: { pageSize: PAGE_SIZE },
    containers: { create: () => Promise.resolve(), delete: () => Promise.resolve() },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: () => Promise.resolve("video"),
    encode: () => Promise.resolve(),
  });
  const instant = { ms: clock.now() - 86_400_000, ticks: 0 };
  const publish = (number: number): void => {
    account.store.addLocator({
      ...PLAIN_LOCATOR,
      name: `locator-${assetName(number)}`,
      assetName: assetName(number),
      streamingLocatorId: locatorId(number),
      streamingPolicyName: "Predefined_ClearStreamingOnly",
      stamp: { created: instant, modified: instant },
    });
  };
  for (let number = 0; number < videos; number += 1) publish(number);
  const counts = { lists: 0, others: 0 };
  const listener = getRequestListener(account.app.fetch);
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    if (/\/streamingLocators\?/i.test(path)) counts.lists += 1;
    else if (!path.startsWith("/auth/")) counts.others += 1;
    void listener(incoming, outgoing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    name,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    publish,
    reset: () => {
      counts.lists = 0;
      counts.others = 0;
    },
    [Symbol.asyncDispose]: async () => {
      server.close().closeAllConnections();
      await account[Symbol.asyncDispose]();
    },
  };
}
