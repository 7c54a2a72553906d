/** ffmpeg and ffprobe of this machine. None is downloaded. */
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";

export interface Programs {
  readonly ffmpeg: string;
  readonly ffprobe: string;
}

/** `FFMPEG`, or the first on the PATH, with the ffprobe beside it or on the PATH; null where either is missing. */
export function findPrograms(env: NodeJS.ProcessEnv = process.env): Programs | null {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const named = env["FFMPEG"];
  const ffmpeg = named === undefined ? find("ffmpeg", folders) : isExecutable(named) ? named : null;
  if (ffmpeg === null) return null;
  const ffprobe = find("ffprobe", [dirname(ffmpeg), ...folders]);
  return ffprobe === null ? null : { ffmpeg, ffprobe };
}

function find(name: string, folders: readonly string[]): string | null {
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** Whether this process may run it. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
