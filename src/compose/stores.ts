/** Configuration -> the stores: in one file, or in tables and queues. */
import { hostname } from "node:os";
import type { Clock, Random } from "../core/clock.ts";
import type { Config } from "../core/config/schema.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { CursorStore } from "../core/ports/cursor.ts";
import type { DeletionStore } from "../core/ports/deletions.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import type { HealthMemory } from "../core/ports/health.ts";
import type { Journal } from "../core/ports/journal.ts";
import type { KeyRecords } from "../core/ports/keyRecords.ts";
import type { OverrideStore } from "../core/ports/overrides.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import type { Table } from "../core/table.ts";
import { SqliteEncoding } from "../encoding/sqliteEncoding.ts";
import { TableEncoding } from "../encoding/tableEncoding.ts";
import { SqliteOverrides } from "../gateway/overrides/sqliteOverrides.ts";
import { TableOverrides } from "../gateway/overrides/tableOverrides.ts";
import { SqliteHealthMemory } from "../health/sqliteMemory.ts";
import { TableHealthMemory } from "../health/tableMemory.ts";
import type { StorageLogin } from "../replicator/adapters/storageClients.ts";
import { SqliteCatalogue } from "../replicator/sqlite/catalogue.ts";
import { SqliteCursors } from "../replicator/sqlite/cursors.ts";
import { SqliteDeletions } from "../replicator/sqlite/deletions.ts";
import { SqliteJournal } from "../replicator/sqlite/journal.ts";
import { SqliteKeyRecords } from "../replicator/sqlite/keyRecords.ts";
import { SqliteWorkQueue } from "../replicator/sqlite/workQueue.ts";
import { TableCatalogue } from "../replicator/tables/catalogue.ts";
import { TableCursors } from "../replicator/tables/cursors.ts";
import { TableDeletions } from "../replicator/tables/deletions.ts";
import { TableJournal } from "../replicator/tables/journal.ts";
import { TableKeyRecords } from "../replicator/tables/keyRecords.ts";
import { TableLeases } from "../replicator/tables/leases.ts";

export interface Stores {
  readonly catalogue: CatalogueStore;
  readonly journal: Journal;
  readonly cursors: CursorStore;
  readonly deletions: DeletionStore;
  readonly keyRecords: KeyRecords;
  readonly overrides: OverrideStore;
  readonly memory: HealthMemory;
  /** Opens the queue of jobs, for the caller to close; null where tables are shared and no queues. */
  readonly openWork: (() => Promise<WorkQueue>) | null;
  /** Opens the records of encoding, once; they are closed with the others. */
  readonly openEncoding: () => Promise<EncodingStore>;
}

export interface StoreOptions {
  readonly state: Config["state"];
  readonly clock: Clock;
  readonly random: Random;
}

/** A job that so many workers could not finish is no worker's fault. */
export const MAX_TAKES = 5;
const JOBS = "jobs";

/** `stack` closes them. Throws `state_unavailable`, `state_denied`, `state_rejected` or `state_newer`. */
export async function openStores(options: StoreOptions, stack: AsyncDisposableStack): Promise<Stores> {
  return options.state.tables === undefined ? openFile(options, stack) : openTables(options, options.state.tables, stack);
}

function openFile({ state: { path }, clock }: StoreOptions, stack: AsyncDisposableStack): Stores {
  return {
    catalogue: stack.use(new SqliteCatalogue(path)),
    journal: stack.use(new SqliteJournal(path)),
    cursors: stack.use(new SqliteCursors(path)),
    deletions: stack.use(new SqliteDeletions(path)),
    keyRecords: stack.use(new SqliteKeyRecords(path)),
    overrides: stack.use(new SqliteOverrides(path)),
    memory: stack.use(new SqliteHealthMemory(path, clock)),
    openWork: async () => new SqliteWorkQueue({ path, name: JOBS, maxTakes: MAX_TAKES, clock }),
    openEncoding: openedOnce(stack, async () => new SqliteEncoding(path)),
  };
}

/** Only who encodes needs it. */
function openedOnce<T extends AsyncDisposable>(stack: AsyncDisposableStack, open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | null = null;
  stack.defer(async () => {
    await (await opened?.catch(() => null))?.[Symbol.asyncDispose]();
  });
  return async () => {
    opened ??= open();
    try {
      return await opened;
    } catch (error) {
      opened = null;
      throw error;
    }
  };
}

type TablesConfig = NonNullable<Config["state"]["tables"]>;

/** The SDKs are loaded where they are used. */
async function openTables({ state, clock, random }: StoreOptions, config: TablesConfig, stack: AsyncDisposableStack): Promise<Stores> {
  const { AzureTable } = await import("../replicator/adapters/azureTable.ts");
  const { ServiceCalls } = await import("../replicator/adapters/serviceCalls.ts");
  const calls = new ServiceCalls({ clock, random });
  const { url, prefix } = config;
  const login = await loginOf(config.credential);
  const open = async (name: string): Promise<Table> => AzureTable.open({ url, name: `${prefix}${name}`, login, calls });
  const [shared, journal, overrides] = await Promise.all([open("catalogue"), open("journal"), open("overrides")]);
  const leases = new TableLeases(shared, calls.skewMs);
  const { queues } = state;
  return {
    catalogue: await TableCatalogue.open({ table: shared, leases, clock, random }),
    journal: new TableJournal({ table: journal, leases }),
    cursors: new TableCursors(journal),
    deletions: new TableDeletions(journal),
    keyRecords: new TableKeyRecords({ table: shared, leases }),
    overrides: new TableOverrides({ table: overrides, clock, random }),
    memory: new TableHealthMemory({ table: overrides, clock, machine: hostname() }),
    openEncoding: openedOnce(stack, async () => new TableEncoding({ table: await open("encoding"), clock, random })),
    openWork: queues === undefined ? null : async () => openQueue(queues, { deadLetters: await open("deadletters"), clock, random }),
  };
}

async function openQueue(
  { url, prefix, credential }: NonNullable<Config["state"]["queues"]>,
  { deadLetters, clock, random }: Pick<StoreOptions, "clock" | "random"> & { readonly deadLetters: Table },
): Promise<WorkQueue> {
  const { AzureWorkQueue } = await import("../replicator/adapters/azureWorkQueue.ts");
  const { ServiceCalls } = await import("../replicator/adapters/serviceCalls.ts");
  const calls = new ServiceCalls({ clock, random });
  const login = await loginOf(credential);
  return AzureWorkQueue.open({ url, name: `${prefix}-${JOBS}`, login, calls, deadLetters, maxTakes: MAX_TAKES });
}

export async function loginOf(credential: TablesConfig["credential"]): Promise<StorageLogin> {
  if (credential.kind !== "default") return credential;
  const { defaultCredential } = await import("../replicator/adapters/credentials.ts");
  return { kind: "token", credential: defaultCredential() };
}
