/** Where the state is: a file of this machine, or tables and queues that machines share. */
import { z } from "zod";
import { baseUrl, isLoopbackUrl, nonEmpty } from "./units.ts";

/** How a storage service is entered. */
export const storageCredential = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("default") }),
  z.strictObject({ kind: z.literal("account-key"), accountName: nonEmpty, accountKey: nonEmpty }),
  /** An account SAS or service SAS with list, read and (for a target) create and write; for tables and queues all that they allow. */
  z.strictObject({ kind: z.literal("sas"), sas: nonEmpty }),
]);

const DEFAULT_PATH = "paircast.db";

const service = z.strictObject({
  /** Of the account's service, for instance https://ACCOUNT.table.core.windows.net. Plain http only on a loopback address. */
  url: baseUrl,
  credential: storageCredential.prefault({ kind: "default" }),
});

/** A problem in words, null where there is none. */
function urlProblem({ url, credential }: z.output<typeof service>): string | null {
  if (url.startsWith("https:")) return null;
  if (!isLoopbackUrl(url)) return "credentials are sent here: use https (plain http is allowed on a loopback address only)";
  return credential.kind === "default" ? "tokens are sent over https only: use an account key or a SAS here, or https" : null;
}

export const state = z
  .strictObject({
    /** SQLite file for catalogue, journal, work and overrides: for the processes of one machine. */
    path: nonEmpty.optional(),
    /** The same in tables of Azure Table storage, or of Cosmos DB's Table API: for any number of machines. */
    tables: service
      .extend({
        /** The tables' names begin with it; whoever has the same shares the state. */
        prefix: z
          .string()
          .regex(/^[A-Za-z][A-Za-z0-9]{0,39}$/, "use letters and digits, a letter first, at most 40")
          .prefault("paircast"),
      })
      .optional(),
    /** Queues of Azure Storage, for the work that machines share. */
    queues: service
      .extend({
        /** The queues' names begin with it. */
        prefix: z
          .string()
          .regex(/^[a-z0-9]([a-z0-9]|-(?=[a-z0-9])){0,39}$/, "use lower-case letters, digits and single hyphens, at most 40")
          .prefault("paircast"),
      })
      .optional(),
  })
  .superRefine(({ path, tables, queues }, context) => {
    const problem = (at: readonly string[], message: string | null): void => {
      if (message !== null) context.addIssue({ code: "custom", path: [...at], message });
    };
    if (tables !== undefined) problem(["tables", "url"], urlProblem(tables));
    if (queues !== undefined) problem(["queues", "url"], urlProblem(queues));
    if (tables !== undefined && path !== undefined)
      problem(["path"], "with state.tables nothing would be kept in a file; remove one of them");
    if (tables === undefined && queues !== undefined)
      problem(["queues"], "the dead letters of queues are in tables: add state.tables, or remove this");
  })
  .transform((section) => ({ ...section, path: section.path ?? DEFAULT_PATH }));
