/** One emulated media account: the management API, and the view that the region's other services have of it. */
import type { Hono } from "hono";
import type { AccountView } from "../contracts.ts";
import { accountRoutes, provisionAccount } from "./account.ts";
import { assetRoutes } from "./assets.ts";
import { TokenAuthority } from "./auth.ts";
import { contentKeyPolicyRoutes } from "./contentKeyPolicies.ts";
import type { Route } from "./call.ts";
import type { Emulator, EmulatorDeps } from "./emulator.ts";
import { EndpointMachine } from "./endpointMachine.ts";
import { endpointRoutes } from "./endpoints.ts";
import { filterRoutes } from "./filters.ts";
import { CALM, JobBehaviour } from "./jobBehaviour.ts";
import { withJobFaults } from "./jobFaults.ts";
import { JobRunner, type Encode, type JobChange } from "./jobRunner.ts";
import { jobRoutes } from "./jobs.ts";
import { liveEventRoutes } from "./liveEvents.ts";
import { LiveMachine } from "./liveMachine.ts";
import { liveOutputRoutes } from "./liveOutputs.ts";
import { locatorRoutes } from "./locators.ts";
import { mkioApp, type MkioSurface } from "./mkio.ts";
import { managementApp } from "./router.ts";
import type { JobOutputRecord, JobRecord } from "./records.ts";
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
  /** Hears of the progress of outputs. */
  readonly jobProgressed?: (job: JobRecord, output: JobOutputRecord) => void;
  /** Hears of failures that are the emulator's own fault (500). */
  readonly failed?: (error: unknown) => void;
  /** False: the account has yet to be created by PUT. Default true. */
  readonly provisioned?: boolean;
  /** State of the endpoint `default` of a new account. The service makes it stopped; the sandbox wants it running. Default Running. */
  readonly defaultEndpoint?: "Running" | "Stopped";
  /** Serves the same account in MK.IO's form, too. */
  readonly mkio?: MkioSurface;
  /** Share one set between the accounts of a region to make content key ids unique in the region. */
  readonly keyIds?: Set<string>;
}

/** Dispose it to stop its jobs. */
export interface MediaAccount extends AsyncDisposable {
  readonly app: Hono;
  /** Null where it is not served. */
  readonly mkio: Hono | null;
  readonly view: AccountView;
  readonly store: MediaAccountStore;
  /** How its jobs fare, to be changed at any time. */
  readonly behaviour: JobBehaviour;
}

export function createMediaAccount(options: MediaAccountOptions): MediaAccount {
  const { clock, random, keyIds } = options;
  const switches = { ...DEFAULT_SWITCHES, ...options.switches };
  const { defaultEndpoint: defaultState = "Running" } = options;
  const endpoints = new EndpointMachine({ clock, random, operationMs: switches.operationMs, defaultState });
  const live = new LiveMachine({ clock, random, operationMs: switches.operationMs });
  const store = new MediaAccountStore({ endpoints, live, ...(keyIds === undefined ? {} : { keyIds }) });
  const emulator: Emulator = { ...options, switches, store };
  if (options.provisioned !== false) provisionAccount(emulator);
  const behaviour = new JobBehaviour({ ...CALM, ...switches.job });
  const jobs = { behaviour, runner: jobRunner(emulator, behaviour, options) };
  // MK.IO's live events have a form of their own, which is not emulated.
  const routes = [...accountRoutes(emulator), ...entityRoutes(emulator, jobs), ...liveEventRoutes(emulator), ...liveOutputRoutes(emulator)];
  const { subscriptionId } = options.account;
  const tokens = new TokenAuthority({ subscriptionId, apiKey: options.apiKey, clock, random });
  const failed = options.failed ?? (() => undefined);
  const app = managementApp(emulator, tokens, routes, failed);
  const mkio = options.mkio === undefined ? null : mkioOf(emulator, jobs, options.mkio, failed);
  return { app, mkio, view: store, store, behaviour, [Symbol.asyncDispose]: async () => jobs.runner[Symbol.asyncDispose]() };
}

interface Jobs {
  readonly behaviour: JobBehaviour;
  readonly runner: JobRunner;
}

function jobRunner(emulator: Emulator, behaviour: JobBehaviour, { encode, jobChanged, jobProgressed }: MediaAccountOptions): JobRunner {
  const nobody = (): void => undefined;
  return new JobRunner({ emulator, behaviour, encode, changed: jobChanged ?? nobody, progressed: jobProgressed ?? nobody });
}

function entityRoutes(emulator: Emulator, { behaviour, runner }: Jobs): Route[] {
  return [
    ...assetRoutes(emulator),
    ...trackRoutes(emulator),
    ...filterRoutes(emulator),
    ...contentKeyPolicyRoutes(emulator),
    ...streamingPolicyRoutes(emulator),
    ...locatorRoutes(emulator),
    ...endpointRoutes(emulator),
    ...withJobFaults([...transformRoutes(emulator, runner), ...jobRoutes(emulator, runner)], behaviour),
  ];
}

/** The same entities, with ids of the project. */
function mkioOf(emulator: Emulator, jobs: Jobs, surface: MkioSurface, failed: (error: unknown) => void): Hono {
  const account = { ...emulator.account, resourceGroup: "default", name: surface.project };
  const inProject = { ...emulator, account };
  return mkioApp(inProject, surface, entityRoutes(inProject, jobs), failed);
}
