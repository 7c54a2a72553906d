/** A table of Azure Table storage, or of Cosmos DB's Table API. */
import {
  AzureNamedKeyCredential,
  AzureSASCredential,
  TableClient,
  type TableEntityResult,
  type TableServiceClientOptions,
  type TransactionAction,
} from "@azure/data-tables";
import type { RowChange, Row, RowRange, RowValues, Table } from "../../core/table.ts";
import type { ServiceCalls } from "./serviceCalls.ts";
import { refusalOf, stateError } from "./stateErrors.ts";
import type { StorageLogin } from "./storageClients.ts";

/** What the service gives at once at most. */
const PAGE = 1000;
/** The SDK's own retries. */
const RETRY_POLICY = "defaultRetryPolicy";
/** Of every row, beside its values. */
const OF_THE_SERVICE = new Set(["partitionKey", "rowKey", "etag", "timestamp", "odata.metadata"]);

export interface AzureTableOptions {
  /** Table service URL without a trailing slash; path-style (`http://host:port/account`) where the service is. */
  readonly url: string;
  readonly name: string;
  readonly login: StorageLogin;
  readonly calls: ServiceCalls;
}

export class AzureTable implements Table {
  readonly #client: TableClient;
  /** For people: no SAS. */
  readonly #label: string;
  /** Cosmos DB promises no order of what it lists. */
  readonly #ordered: boolean;

  private constructor({ url, name, login, calls }: AzureTableOptions) {
    const { hostname, host } = new URL(url);
    this.#label = `table ${name} at ${host}`;
    this.#ordered = !/\.table\.cosmos(db)?\./.test(hostname);
    this.#client = clientFor(url, name, login);
    this.#client.pipeline.removePolicy({ name: RETRY_POLICY });
    const sendRequest: Parameters<TableClient["pipeline"]["addPolicy"]>[0]["sendRequest"] = async (request, next) =>
      calls.run(`ask ${this.#label}`, async (signal) => {
        request.abortSignal = signal;
        return next(request);
      });
    this.#client.pipeline.addPolicy({ name: "paircastCalls", sendRequest }, { phase: "Retry" });
  }

  /** Makes the table where it is not there. A credential that may not make tables is enough where it is. */
  static async open(options: AzureTableOptions): Promise<AzureTable> {
    const table = new AzureTable(options);
    try {
      await table.#client.createTable();
    } catch (error) {
      if (refusalOf(error)?.status !== 403) throw stateError(error, `open ${table.#label}`);
    }
    return table;
  }

  async get(partition: string, key: string): Promise<Row | null> {
    try {
      return rowOf(await this.#client.getEntity(partition, key));
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal?.status === 404 && refusal.code !== "TableNotFound") return null;
      throw stateError(error, `read row ${key} of ${this.#label}`);
    }
  }

  async *list(partition: string, range: RowRange): AsyncGenerator<Row> {
    if (this.#ordered) {
      yield* this.#pages(partition, range);
      return;
    }
    const { limit, ...all } = range;
    const rows = await Array.fromAsync(this.#pages(partition, all));
    yield* rows.sort((one, other) => (one.key < other.key ? -1 : 1)).slice(0, limit);
  }

  async write(partition: string, changes: readonly RowChange[]): Promise<readonly string[] | null> {
    try {
      const [only] = changes;
      return only !== undefined && changes.length === 1 ? [await this.#one(partition, only)] : await this.#transaction(partition, changes);
    } catch (error) {
      if (isConditionFailed(error)) return null;
      throw stateError(error, `write row ${changes[0]?.key ?? ""} of ${this.#label}`);
    }
  }

  async *#pages(partition: string, { from, below, limit = Number.POSITIVE_INFINITY }: RowRange): AsyncGenerator<Row> {
    const filter = `PartitionKey eq '${partition}' and RowKey ge '${from}' and RowKey lt '${below}'`;
    const pages = this.#client.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: Math.min(limit, PAGE) });
    let left = limit;
    try {
      for await (const page of pages) {
        yield* page.slice(0, left).map(rowOf);
        left -= page.length;
        if (left <= 0) return;
      }
    } catch (error) {
      throw stateError(error, `list rows from ${from} of ${this.#label}`);
    }
  }

  async #one(partition: string, change: RowChange): Promise<string> {
    const entity = entityOf(partition, change);
    if (change.type === "delete") {
      await this.#client.deleteEntity(partition, change.key, { etag: change.etag ?? "*" });
      return "";
    }
    if (change.type === "insert") return (await this.#client.createEntity(entity)).etag ?? "";
    if (change.etag === null) return (await this.#client.upsertEntity(entity, "Replace")).etag ?? "";
    return (await this.#client.updateEntity(entity, "Replace", { etag: change.etag })).etag ?? "";
  }

  async #transaction(partition: string, changes: readonly RowChange[]): Promise<readonly string[]> {
    const { subResponses } = await this.#client.submitTransaction(changes.map((change) => actionOf(partition, change)));
    return changes.map((_, at) => subResponses[at]?.etag ?? "");
  }
}

function clientFor(url: string, name: string, login: StorageLogin): TableClient {
  // The configuration allows plain http on a loopback address only, and no token there.
  const options: TableServiceClientOptions = { allowInsecureConnection: url.startsWith("http://") };
  if (login.kind === "account-key")
    return new TableClient(url, name, new AzureNamedKeyCredential(login.accountName, login.accountKey), options);
  if (login.kind === "sas") return new TableClient(url, name, new AzureSASCredential(login.sas.replace(/^\?/, "")), options);
  return new TableClient(url, name, login.credential, options);
}

/** The row is another one, is there already, or is not there: which, the caller looks up where it matters. */
function isConditionFailed(error: unknown): boolean {
  const refusal = refusalOf(error);
  if (refusal === null) return false;
  const { status, code } = refusal;
  return status === 412 || ((status === 404 || status === 409) && !code.startsWith("Table"));
}

function entityOf(partition: string, change: RowChange) {
  return { partitionKey: partition, rowKey: change.key, ...(change.type === "delete" ? {} : change.values) };
}

function actionOf(partition: string, change: RowChange): TransactionAction {
  const entity = entityOf(partition, change);
  if (change.type === "insert") return ["create", entity];
  if (change.type === "replace")
    return change.etag === null ? ["upsert", entity, "Replace"] : ["update", entity, "Replace", { etag: change.etag }];
  // The SDK would leave it out.
  if (change.etag !== null) throw new TypeError("a delete with an etag stands alone");
  return ["delete", entity];
}

function rowOf(entity: TableEntityResult<Record<string, unknown>>): Row {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(entity)) if (!OF_THE_SERVICE.has(name) && typeof value === "string") values[name] = value;
  return { key: entity.rowKey ?? "", etag: entity.etag, values: values satisfies RowValues };
}
