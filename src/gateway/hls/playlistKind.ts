/** Which of the two kinds of HLS playlist a text is. Pure. */
import { type Line, type Lines, splitLines, tagOf } from "./lines.ts";
import { Refusal } from "../refusal.ts";

const MULTIVARIANT = new Set([
  "#EXT-X-STREAM-INF",
  "#EXT-X-I-FRAME-STREAM-INF",
  "#EXT-X-MEDIA",
  "#EXT-X-SESSION-DATA",
  "#EXT-X-SESSION-KEY",
  "#EXT-X-CONTENT-STEERING",
]);
const MEDIA = new Set(["#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PART-INF", "#EXT-X-PART"]);

/** Null: no HLS playlist, or tags of both kinds, which players must refuse (RFC 8216 §4.1). */
export function playlistKind(text: string): "multivariant" | "media" | null {
  return kindOf(splitLines(text).lines);
}

/** The lines of a playlist of one kind; anything else is refused. */
export function readPlaylist(text: string): { readonly kind: "multivariant" | "media"; readonly source: Lines } {
  const source = splitLines(text);
  if (!isPlaylist(source.lines)) throw new Refusal("not_playlist", "the first line is not #EXTM3U");
  const kind = kindOf(source.lines);
  if (kind === null) throw new Refusal("malformed", "its tags are neither those of a multivariant playlist nor those of a media playlist");
  return { kind, source };
}

function kindOf(lines: readonly Line[]): "multivariant" | "media" | null {
  if (!isPlaylist(lines)) return null;
  const tags = new Set(lines.map(({ text }) => tagOf(text)));
  const multivariant = !tags.isDisjointFrom(MULTIVARIANT);
  if (multivariant === !tags.isDisjointFrom(MEDIA)) return null;
  return multivariant ? "multivariant" : "media";
}

function isPlaylist(lines: readonly Line[]): boolean {
  return /^#EXTM3U(?:\s|$)/.test(lines[0]?.text ?? "");
}
