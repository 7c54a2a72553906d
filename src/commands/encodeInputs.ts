/** What `encode submit` is given, as inputs of jobs: addresses as they are, files uploaded into a region's account first. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { composeFoundations } from "../compose/foundations.ts";
import { loadConfig } from "../core/config/load.ts";
import type { EncodingInput } from "../core/encoding.ts";
import { PaircastError } from "../core/errors.ts";
import { createLog } from "../core/log.ts";
import type { MediaAccount } from "../core/ports/media.ts";

/** Uploads go in one request, from memory. */
const MAX_UPLOAD_BYTES = 256 * 1024 * 1024;
const DEFAULT_CONFIG = "paircast.yaml";

export interface InputPlace {
  /** Null: paircast.yaml. Only uploads need it. */
  readonly config: string | null;
  readonly region: string | null;
  readonly version: string;
}

export function isUrl(given: string): boolean {
  return /^https?:\/\//i.test(given);
}

/** Uploads the files, one after the other, each into an asset of its own. */
export async function uploaded(
  files: readonly string[],
  { config, region, version }: InputPlace,
): Promise<ReadonlyMap<string, EncodingInput>> {
  for (const file of files) await assertUsable(file);
  const loaded = loadConfig(config ?? DEFAULT_CONFIG);
  const log = createLog(loaded.log.level);
  await using foundations = await composeFoundations({ config: loaded, version, log, routes: false });
  const account = accountOf(foundations.accounts, region);
  const inputs = new Map<string, EncodingInput>();
  for (const file of files) inputs.set(file, await upload(file, account, foundations.random.uuid()));
  return inputs;
}

async function assertUsable(file: string): Promise<void> {
  if (!existsSync(file)) throw new PaircastError("bad_option", `${file}: neither an https URL nor a file that is there`);
  const { size } = await stat(file);
  if (size <= MAX_UPLOAD_BYTES) return;
  const advice = "put it into storage by a tool that uploads in blocks, and name it by URL (with a SAS), or by --asset";
  throw new PaircastError("bad_option", `${file} has ${size} bytes, and at most ${MAX_UPLOAD_BYTES} are uploaded from here: ${advice}`);
}

function accountOf(accounts: ReadonlyMap<string, MediaAccount>, region: string | null): MediaAccount {
  const account = region === null ? [...accounts.values()][0] : accounts.get(region);
  if (account !== undefined) return account;
  const names = [...accounts.keys()].join(", ");
  throw new PaircastError(
    "unknown_region",
    `upload to ${region ?? "a region"}: there is no such media account; there are ${names === "" ? "none" : names}`,
  );
}

async function upload(file: string, account: MediaAccount, id: string): Promise<EncodingInput> {
  const name = `input-${id}`;
  const asset = await account.createAsset({ name, container: name, alternateId: null, description: "Input of an encoding job" });
  const blob = basename(file);
  const options = { contentType: "application/octet-stream", condition: "absent" } as const;
  await account.container(asset, "write").write(blob, await readFile(file), options);
  return { kind: "asset", region: account.region, assetName: name, files: [blob] };
}
