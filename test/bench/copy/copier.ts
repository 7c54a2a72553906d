/**
 * A process that copies one container, and says on its last line what that cost. Arguments: who copies, URL of the account with its SAS, source
 * container, target container, file for the journal.
 */
import { readFileSync } from "node:fs";
import { BlobServiceClient } from "@azure/storage-blob";
import { collectEarly } from "../../../src/commands/heap.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { AzureBlobContainer } from "../../../src/replicator/adapters/azureBlobs.ts";
import { openBlobService } from "../../../src/replicator/adapters/storageClients.ts";
import { copyBlobs, surveyBlobs, type CopyOptions } from "../../../src/replicator/copy.ts";
import { isProven } from "../../../src/replicator/planBlobs.ts";
import { SqliteJournal } from "../../../src/replicator/sqlite/journal.ts";

export interface Cost {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

/** The default of `replication.blobConcurrency`. */
const CONCURRENCY = 16;

/** Looks, copies and looks again, as a job does. */
async function paircast(url: URL, from: string, to: string, journal: SqliteJournal): Promise<void> {
  const service = openBlobService({ url: `${url.origin}${url.pathname}`, login: { kind: "sas", sas: url.search }, clock: systemClock });
  const container = (name: string): AzureBlobContainer =>
    new AzureBlobContainer({ label: name, clock: systemClock, ...service.access(name) });
  const options: CopyOptions = {
    source: container(from),
    target: container(to),
    journal,
    jobId: "bench",
    clock: systemClock,
    concurrency: CONCURRENCY,
    onCopied: () => undefined,
    onAdopted: () => undefined,
  };
  await copyBlobs(options, await surveyBlobs(options));
  if (!isProven(await surveyBlobs(options))) throw new Error("the copy is not proven");
}

/** The plainest loop that is correct: one after the other, each looked at when it is there. */
async function loop(url: URL, from: string, to: string): Promise<void> {
  const service = new BlobServiceClient(url.href);
  const [source, target] = [service.getContainerClient(from), service.getContainerClient(to)];
  for await (const blob of source.listBlobsFlat()) {
    const copy = target.getBlobClient(blob.name);
    await copy.syncCopyFromURL(source.getBlobClient(blob.name).url);
    const { contentLength, contentMD5 } = await copy.getProperties();
    const same = Buffer.from(contentMD5 ?? []).equals(Buffer.from(blob.properties.contentMD5 ?? []));
    if (contentLength !== blob.properties.contentLength || !same) throw new Error(`${blob.name} arrived wrong`);
  }
}

// As the command does.
if (process.argv[2] === "paircast") collectEarly();
const [who = "", account = "", from = "", to = "", journalFile = ""] = process.argv.slice(2);
// A program that copies has its journal open.
await using journal = new SqliteJournal(journalFile);
const began = systemClock.monotonic();
const before = process.cpuUsage();
await (who === "loop" ? loop(new URL(account), from, to) : paircast(new URL(account), from, to, journal));
const { user, system } = process.cpuUsage(before);
const cost: Cost = {
  seconds: (systemClock.monotonic() - began) / 1000,
  cpuMs: (user + system) / 1000,
  peakMiB: Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024,
};
process.stdout.write(`${JSON.stringify(cost)}\n`);
