/** Which requests are for a manifest or playlist, as far as the path tells. Pure. */
import { pathOf } from "../target.ts";

export interface Document {
  /** `smooth`: a manifest of another kind, which nothing here rewrites. */
  readonly protocol: "hls" | "dash" | "smooth";
  /** True for what is an HLS media playlist by its path; any other `.m3u8` may be one, too. */
  readonly isPlaylist: boolean;
}

const FILE = /\/[^/]+\.(m3u8|mpd)$/i;
/** `{name}.ism/manifest(format=…)` and `{name}.ism/QualityLevels(…)/Manifest(…)`, the parentheses sometimes percent-encoded. */
const ISM = /\/[^/]+\.isml?\/(qualitylevels(?:\(|%28)[^/]*\/)?manifest((?:\(|%28)[^/]*)?$/i;
const FORMAT = /[(,]format=(m3u8|mpd)/i;

/** Null for segments and all else. */
export function documentOf(target: string): Document | null {
  const path = pathOf(target);
  const extension = FILE.exec(path)?.[1]?.toLowerCase();
  if (extension !== undefined) return { protocol: extension === "mpd" ? "dash" : "hls", isPlaylist: false };
  const ism = ISM.exec(path);
  return ism === null ? null : ofServer(ism[1] !== undefined, ism[2] ?? "");
}

function ofServer(isPlaylist: boolean, options: string): Document | null {
  const plain = options.replaceAll("%28", "(").replaceAll(/%2c/gi, ",").replaceAll(/%3d/gi, "=").replaceAll("%20", "");
  const format = FORMAT.exec(plain)?.[1]?.toLowerCase();
  if (format !== undefined) return { protocol: format === "mpd" ? "dash" : "hls", isPlaylist };
  return isPlaylist ? null : { protocol: "smooth", isPlaylist };
}
