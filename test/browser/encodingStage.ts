/** A gateway's admin listener with its status page, over encoding jobs that a test writes as they are to be. */
import { systemClock as clock } from "../../src/core/clock.ts";
import type { AccountState, EncodingJob } from "../../src/core/encoding.ts";
import { silentLog } from "../../src/core/log.ts";
import { accountOverride } from "../../src/encoding/accountOverride.ts";
import { apply, type JobEvent } from "../../src/encoding/job.ts";
import { jobId } from "../../src/encoding/names.ts";
import { newJob, type NewJob } from "../../src/encoding/newAttempt.ts";
import { DEFAULT_POLICY } from "../../src/encoding/policy.ts";
import { buildAdmin, type AdminDeps } from "../../src/gateway/admin.ts";
import { OverrideControl } from "../../src/gateway/overrides/control.ts";
import { statusPage } from "../../src/gateway/page/page.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { encodingOver } from "../gateway/encodingStage.ts";
import { buildWorld, type World } from "../gateway/world.ts";

/** Milliseconds before now, and what happened then. */
export type Step = readonly [agoMs: number, event: JobEvent];

const NO_TIMERS = { place: null, follow: null };
const TRANSFORMS = ["adaptive", "<b>audio</b>"];

export class EncodingStage implements AsyncDisposable {
  readonly store = new MemoryEncoding();
  /** Region -> where uploaded files go. */
  readonly accounts = new Map(["westeurope", "northeurope"].map((region) => [region, new MemoryMediaAccount({ region })]));
  readonly world: World = buildWorld({ clock });
  readonly server: GatewayServer;
  #made = 0;

  private constructor(server: GatewayServer) {
    this.server = server;
  }

  /** `off`: nothing is encoded. */
  static async start(changes: Partial<AdminDeps> = {}, off = false): Promise<EncodingStage> {
    let app: ReturnType<typeof buildAdmin> | null = null;
    const server = await GatewayServer.listen({
      app: { fetch: (request, bindings) => app?.fetch(request, bindings) ?? new Response(null, { status: 503 }) },
      listen: { host: "127.0.0.1", port: 0 },
      clock,
      targets: "parsed",
      graceMs: 50,
    });
    const stage = new EncodingStage(server);
    app = stage.#app(changes, off);
    return stage;
  }

  get url(): string {
    return this.server.url;
  }

  /** A job with its history, oldest first; what came of the last step is stored. */
  async job(spec: Partial<NewJob>, createdAgoMs: number, steps: readonly Step[] = []): Promise<EncodingJob> {
    const now = clock.now();
    this.#made += 1;
    const id = jobId(now - createdAgoMs, String(this.#made).padStart(12, "0"));
    const input = { kind: "url", url: "https://in.example/films/film.mp4" } as const;
    const begun = newJob(
      { id, clientId: `film-${this.#made}`, transform: "adaptive", input, priority: "normal", ...spec },
      now - createdAgoMs,
    );
    const job = steps.reduce((before, [agoMs, event]) => apply(before, event, DEFAULT_POLICY.job, now - agoMs).job, begun);
    const live = job.attempts.at(-1);
    const places = job.state === "running" && live !== undefined ? [live.account] : [];
    const [written] = await this.store.write([{ job, expected: null, timers: NO_TIMERS, places, capacity: {}, messages: [] }]);
    if (written?.ok !== true) throw new Error(`job ${id} is not stored`);
    return job;
  }

  async account(state: AccountState): Promise<void> {
    const known = (await this.store.accounts()).find((each) => each.state.account === state.account);
    if ((await this.store.saveAccount(state, known?.version ?? null)) === null) throw new Error(`${state.account} is not stored`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }

  #app(changes: Partial<AdminDeps>, off: boolean): ReturnType<typeof buildAdmin> {
    const { overrideStore, overrideView, catalogue } = this.world;
    const encoding = encodingOver(this.store, this.accounts, {
      transforms: new Map(TRANSFORMS.map((name) => [name, { name, description: null, outputs: [{}] }])),
      accounts: new Map([
        ["westeurope", 10],
        ["northeurope", 4],
      ]),
      overridden: (account) => accountOverride(overrideView.active(), account),
      catalogue,
    });
    return buildAdmin({
      ...this.world,
      version: "1.2.3",
      startedAt: clock.now(),
      gatewayUrl: this.url,
      keysPrefix: "/keys",
      jobs: async () => Promise.resolve([]),
      conflicts: async () => Promise.resolve([]),
      replication: async () => Promise.resolve({ at: 0, targets: [], queue: null, backfill: [], lastFullAt: null }),
      events: { subscribe: () => () => undefined },
      encoding: off ? null : encoding,
      overrides: new OverrideControl({ ...this.world, store: overrideStore, view: overrideView, encoding }),
      log: silentLog,
      token: null,
      page: statusPage({ connectTo: [] }),
      sandbox: null,
      ...changes,
    });
  }
}
