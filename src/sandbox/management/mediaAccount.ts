/** One emulated media account: the management API, and the view that the region's other services have of it. */
import type { Hono } from "hono";
import type { AccountView } from "../contracts.ts";
import { accountRoutes, provisionAccount } from "./account.ts";
import { assetRoutes } from "./assets.ts";
import { TokenAuthority } from "./auth.ts";
import { contentKeyPolicyRoutes } from "./contentKeyPolicies.ts";
import type { Emulator, EmulatorDeps } from "./emulator.ts";
import { EndpointMachine } from "./endpointMachine.ts";
import { endpointRoutes } from "./endpoints.ts";
import { filterRoutes } from "./filters.ts";
import { JobRunner, type Encode, type JobChange } from "./jobRunner.ts";
import { jobRoutes } from "./jobs.ts";
import { locatorRoutes } from "./locators.ts";
import { managementApp } from "./router.ts";
import { MediaAccountStore } from "./store.ts";
import { streamingPolicyRoutes } from "./streamingPolicies.ts";
import { DEFAULT_SWITCHES, type EmulatorSwitches } from "./switches.ts";
import { trackRoutes } from "./tracks.ts";
import { transformRoutes } from "./transforms.ts";

export interface MediaAccountOptions extends Omit<EmulatorDeps, "switches"> {
  readonly switches?: Partial<EmulatorSwitches>;
  /** Exchanged for a token at `POST /auth/token`. */
  readonly apiKey: string;
  /** Makes the files of a job's output asset. */
  readonly encode: Encode;
  /** Hears of every change of state of jobs and their outputs, as Event Grid would. */
  readonly jobChanged?: (change: JobChange) => void;
  /** Hears of failures that are the emulator's own fault (500). */
  readonly failed?: (error: unknown) => void;
  /** False: the account has yet to be created by PUT. Default true. */
  readonly provisioned?: boolean;
  /** State of the endpoint `default` of a new account. The service makes it stopped; the sandbox wants it running. Default Running. */
  readonly defaultEndpoint?: "Running" | "Stopped";
  /** Share one set between the accounts of a region to make content key ids unique in the region. */
  readonly keyIds?: Set<string>;
}

/** Dispose it to stop its jobs. */
export interface MediaAccount extends AsyncDisposable {
  readonly app: Hono;
  readonly view: AccountView;
  readonly store: MediaAccountStore;
}

export function createMediaAccount(options: MediaAccountOptions): MediaAccount {
  const { clock, random, keyIds } = options;
  const switches = { ...DEFAULT_SWITCHES, ...options.switches };
  const { defaultEndpoint: defaultState = "Running" } = options;
  const endpoints = new EndpointMachine({ clock, random, operationMs: switches.operationMs, defaultState });
  const store = new MediaAccountStore({ endpoints, ...(keyIds === undefined ? {} : { keyIds }) });
  const emulator: Emulator = { ...options, switches, store };
  if (options.provisioned !== false) provisionAccount(emulator);
  const runner = new JobRunner({ emulator, encode: options.encode, changed: options.jobChanged ?? (() => undefined) });
  const routes = [
    ...accountRoutes(emulator),
    ...assetRoutes(emulator),
    ...trackRoutes(emulator),
    ...filterRoutes(emulator),
    ...contentKeyPolicyRoutes(emulator),
    ...streamingPolicyRoutes(emulator),
    ...locatorRoutes(emulator),
    ...endpointRoutes(emulator),
    ...transformRoutes(emulator, runner),
    ...jobRoutes(emulator, runner),
  ];
  const { subscriptionId } = options.account;
  const tokens = new TokenAuthority({ subscriptionId, apiKey: options.apiKey, clock, random });
  const app = managementApp(emulator, tokens, routes, options.failed ?? (() => undefined));
  return { app, view: store, store, [Symbol.asyncDispose]: async () => runner[Symbol.asyncDispose]() };
}
