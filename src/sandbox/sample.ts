/** The sample video: the files of an encoded asset, kept in the repository (`scripts/make-sample.sh` makes them). */
import { readFile } from "node:fs/promises";
import type { ContainerClient } from "@azure/storage-blob";

export interface SampleFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

const FOLDER = new URL("../../sample/", import.meta.url);

export async function readSample(): Promise<readonly SampleFile[]> {
  const types = JSON.parse(await readFile(new URL("files.json", FOLDER), "utf8")) as Readonly<Record<string, string>>;
  return Promise.all(
    Object.entries(types).map(async ([name, contentType]) => ({ name, contentType, content: await readFile(new URL(name, FOLDER)) })),
  );
}

/** The sample as a live channel: its server manifest says that it is broadcast over and over. */
export function liveSample(files: readonly SampleFile[]): readonly SampleFile[] {
  const mark = '<head>\n    <meta name="paircast-live" content="loop" />';
  return files.map((file) =>
    file.name.endsWith(".ism") ? { ...file, content: Buffer.from(file.content.toString("utf8").replace("<head>", mark)) } : file,
  );
}

/** Puts the files into a container, as an encoder leaves them. */
export async function uploadSample(container: ContainerClient, files: readonly SampleFile[], signal?: AbortSignal): Promise<void> {
  const abort = signal === undefined ? {} : { abortSignal: signal };
  await Promise.all(
    files.map(async ({ name, contentType, content }) =>
      container.getBlockBlobClient(name).uploadData(content, { blobHTTPHeaders: { blobContentType: contentType }, ...abort }),
    ),
  );
}

/** The same files under a server manifest of another name, as a live output with a `manifestName` leaves them. */
export function namedSample(files: readonly SampleFile[], manifestName: string): readonly SampleFile[] {
  return files.map((file) => (file.name.endsWith(".ism") ? { ...file, name: `${manifestName}.ism` } : file));
}
