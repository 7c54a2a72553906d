/** The blob container over a real blob service: Azurite, two accounts of one instance. */
import { ContainerSASPermissions } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import type { AzureBlobContainerOptions, CopyMethod } from "../../src/replicator/adapters/azureBlobOptions.ts";
import { AzureBlobContainer } from "../../src/replicator/adapters/azureBlobs.ts";
import { openBlobService, renewedSas, type BlobService } from "../../src/replicator/adapters/storageClients.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { BACKSLASH, describeBlobContainer, type BlobContainerHarness } from "../conformance/blobContainer.ts";
import { ManualClock } from "../fakes/clock.ts";
import { PendingFront } from "./pendingFront.ts";

const KEY = Buffer.alloc(64, 7).toString("base64");
const ACCOUNTS = ["westeurope", "northeurope"] as const;
const NO_RETRIES = { retryOptions: { maxTries: 1 } };

let azurite: Azurite;
let front: PendingFront;
let lastContainer = 0;

beforeAll(async () => {
  const accounts = ACCOUNTS.map((name) => ({ name, key: KEY }));
  azurite = await Azurite.start({ accounts, port: 0, clock: systemClock, log: silentLog });
  front = await PendingFront.start(azurite.url);
});

afterAll(async () => {
  await front[Symbol.asyncDispose]();
  await azurite[Symbol.asyncDispose]();
});

type Tuning = Partial<AzureBlobContainerOptions>;

function service(account: string): BlobService {
  const login = { kind: "account-key", accountName: account, accountKey: KEY } as const;
  return openBlobService({ url: `${azurite.url}/${account}`, login, clock: systemClock });
}

/** A SAS URL of a container, as the media account's `listContainerSas` gives it. */
function issueSas(account: string, container: string, permissions: string, expiresAt: number): Promise<string> {
  const client = service(account).client.getContainerClient(container);
  return client.generateSasUrl({ permissions: ContainerSASPermissions.parse(permissions), expiresOn: new Date(expiresAt) });
}

function bySas(account: string, container: string, permissions: string, tuning: Tuning = {}): AzureBlobContainer {
  const issue = (expiresAt: number): Promise<string> => issueSas(account, container, permissions, expiresAt);
  return new AzureBlobContainer({
    label: `${account}/${container}`,
    clock: systemClock,
    pageSize: 3,
    ...renewedSas({ clock: systemClock, issue }),
    ...tuning,
  });
}

function unreachable(): AzureBlobContainer {
  // Port 1 of loopback: reserved, and nothing listens there.
  const issue = (): Promise<string> => Promise.resolve("http://127.0.0.1:1/westeurope/nobody?sig=unreachable-secret");
  const access = renewedSas({ clock: systemClock, issue, pipeline: NO_RETRIES });
  return new AzureBlobContainer({ label: "unreachable/nobody", clock: systemClock, ...access });
}

async function newContainer(account: string): Promise<string> {
  lastContainer += 1;
  const name = `container-${lastContainer}`;
  await service(account).client.createContainer(name);
  return name;
}

async function harness(source: Tuning, target: Tuning): Promise<BlobContainerHarness> {
  const [from, to] = [await newContainer("westeurope"), await newContainer("northeurope")];
  const past = service("westeurope").client.getContainerClient(from);
  return {
    source: bySas("westeurope", from, "racwl", source),
    target: bySas("northeurope", to, "racwl", target),
    readOnly: bySas("northeurope", to, "rl", target),
    missing: bySas("northeurope", "not-there", "racwl", target),
    unreachable: unreachable(),
    seed: async (name, content, { metadata, tier, ...headers }) => {
      await past.getBlockBlobClient(name).upload(Buffer.from(content), content.length, {
        blobHTTPHeaders: {
          ...(headers.contentType === undefined ? {} : { blobContentType: headers.contentType }),
          ...(headers.contentEncoding === undefined ? {} : { blobContentEncoding: headers.contentEncoding }),
          ...(headers.contentLanguage === undefined ? {} : { blobContentLanguage: headers.contentLanguage }),
          ...(headers.contentDisposition === undefined ? {} : { blobContentDisposition: headers.contentDisposition }),
          ...(headers.cacheControl === undefined ? {} : { blobCacheControl: headers.cacheControl }),
        },
        metadata: { ...metadata },
        ...(tier === undefined ? {} : { tier }),
      });
    },
    remove: async (name) => {
      await past.deleteBlob(name);
    },
    refused: [BACKSLASH],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A URL that the target service may not read, so that the bytes have to pass through this process. */
const unreadable: Tuning = {
  signRead: (client, name) => Promise.resolve(client.getBlobClient(name).url.replace(/([?&]sig=)[^&]+/, "$1wrong")),
};

describeBlobContainer("Azurite, copied in one request,", async () => {
  const made = await harness({}, {});
  const container = made.target.label.split("/")[1] ?? "";
  const direct = service("northeurope").client.getContainerClient(container);
  const issue = async (expiresAt: number): Promise<string> =>
    (await issueSas("northeurope", container, "racwl", expiresAt)).replace(azurite.url, front.url);
  const target = new AzureBlobContainer({ label: made.target.label, clock: systemClock, ...renewedSas({ clock: systemClock, issue }) });
  const path = (name: string): string => `/northeurope/${container}/${name}`;
  return {
    ...made,
    target,
    pending: {
      start: async (name, content) => {
        await direct.getBlockBlobClient(name).upload(Buffer.from(content), content.length);
        front.show(path(name), "pending");
      },
      settle: (name, status) => {
        front.show(path(name), status);
      },
    },
  };
});
describeBlobContainer("Azurite, copied in blocks by URL,", () => harness({}, { singleCopyLimit: -1, singlePutLimit: -1, blockSize: 5 }));
describeBlobContainer("Azurite, copied through this process,", () => harness(unreadable, { blockSize: 5 }));
describeBlobContainer("Azurite, opened with account keys,", async () => {
  const made = await harness({}, {});
  const keyed = (account: string, label: string): AzureBlobContainer =>
    new AzureBlobContainer({ label, clock: systemClock, ...service(account).access(label.split("/")[1] ?? "") });
  return { ...made, source: keyed("westeurope", made.source.label), target: keyed("northeurope", made.target.label) };
});

describe("the way a blob is copied", () => {
  const copied = async (source: Tuning, target: Tuning, length: number): Promise<readonly CopyMethod[]> => {
    const methods: CopyMethod[] = [];
    const { source: from, target: to } = await harness(source, { ...target, onCopy: ({ method }) => methods.push(method) });
    const content = new Uint8Array(length).map((_, index) => index % 253);
    for (const name of ["a", "b"]) {
      const blob = await from.write(name, content, { contentType: "video/mp4", condition: "absent" });
      const copy = await to.copyFrom(from, blob, "absent");
      expect(await to.read(copy, 0, length)).toEqual(content);
    }
    return methods;
  };

  it("is one request up to the limit, blocks above it, and a stream where the service cannot read the source", async () => {
    expect(await copied({}, { singleCopyLimit: 1000 }, 1000)).toEqual(["url", "url"]);
    expect(await copied({}, { singleCopyLimit: 999, singlePutLimit: 999, blockSize: 100 }, 1000)).toEqual(["blocks", "blocks"]);
    expect(await copied(unreadable, { blockSize: 100 }, 1000)).toEqual(["stream", "stream"]);
  });

  it("uses the blocks again that an interrupted copy has staged", async () => {
    const { source, target } = await harness(unreadable, { blockSize: 100 });
    const blob = await source.write("a", new Uint8Array(1000).fill(1), { contentType: "video/mp4", condition: "absent" });
    const reads: number[] = [];
    const brittle = watched(source, (offset) => {
      reads.push(offset);
      if (reads.length === 7) throw new Error("the process ends here");
    });
    await expect(target.copyFrom(brittle, blob, "absent")).rejects.toThrow("the process ends here");
    expect(await target.head("a")).toBeNull();
    const first = reads.splice(0);
    await target.copyFrom(
      watched(source, (offset) => {
        reads.push(offset);
      }),
      blob,
      "absent",
    );
    const staged = first.slice(0, 6);
    expect(reads.filter((offset) => staged.includes(offset))).toEqual([]);
    expect(await target.head("a")).toMatchObject({ length: 1000, contentMd5: blob.contentMd5 });
  });

  it("carries tags where both sides may", async () => {
    const seen: string[] = [];
    const [from, to] = [await newContainer("westeurope"), await newContainer("northeurope")];
    await service("westeurope")
      .client.getContainerClient(from)
      .getBlockBlobClient("a")
      .upload("x", 1, { tags: { customer: "7" } });
    const open = (account: string, name: string, tuning: Tuning): AzureBlobContainer =>
      new AzureBlobContainer({ label: `${account}/${name}`, clock: systemClock, ...service(account).access(name), ...tuning });
    const source = open("westeurope", from, {});
    const target = open("northeurope", to, { onCopy: ({ tags }) => seen.push(tags) });
    for await (const blob of source.list()) await target.copyFrom(source, blob, "absent");
    const { tags } = await service("northeurope").client.getContainerClient(to).getBlobClient("a").getTags();
    expect([seen, tags]).toEqual([["kept"], { customer: "7" }]);
  });
});

/** The same source, seen from outside: not by URL, each read told first. */
function watched(source: BlobContainerHarness["source"], onRead: (offset: number) => void): BlobContainerHarness["source"] {
  return {
    label: source.label,
    list: (signal) => source.list(signal),
    head: (name, signal) => source.head(name, signal),
    readUrl: () => Promise.resolve("memory://"),
    read: async (blob, offset, count, signal) => {
      onRead(offset);
      return source.read(blob, offset, count, signal);
    },
    copyFrom: () => Promise.reject(new Error("not a target")),
    write: () => Promise.reject(new Error("not a target")),
  };
}

describe("access by SAS", () => {
  const setUp = async (clock: ManualClock) => {
    const issued: number[] = [];
    const name = await newContainer("westeurope");
    const issue = (expiresAt: number): Promise<string> => {
      issued.push(expiresAt);
      return issueSas("westeurope", name, "racwl", expiresAt);
    };
    const container = new AzureBlobContainer({ label: name, clock, ...renewedSas({ clock, issue }) });
    return { container, issued };
  };

  it("is asked for once, and again when less than half an hour is left", async () => {
    const clock = new ManualClock(systemClock.now());
    const { container, issued } = await setUp(clock);
    await Promise.all([container.head("a"), container.head("b")]);
    await clock.advance(3.4 * 3_600_000);
    await container.head("a");
    expect(issued).toHaveLength(1);
    await clock.advance(0.2 * 3_600_000);
    await container.head("a");
    expect(issued).toHaveLength(2);
  });

  it("is asked for again, once, when the service says that it has expired", async () => {
    // A clock of ours that runs a day late: the first SAS is over before it is used.
    const clock = new ManualClock(systemClock.now() - 86_400_000);
    const { container, issued } = await setUp(clock);
    await expect(container.head("a")).rejects.toMatchObject({ code: "storage_denied" });
    expect(issued).toHaveLength(2);
    clock.jump(86_400_000);
    expect(await container.head("a")).toBeNull();
    expect(issued).toHaveLength(3);
  });
});
