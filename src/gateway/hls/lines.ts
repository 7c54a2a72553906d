/** A playlist as lines, so that what is not understood goes through as it came: `joinLines(splitLines(text))` is the text. Pure. */

export interface Line {
  readonly text: string;
  /** The line's own end. */
  readonly end: string;
}

export interface Lines {
  /** A byte order mark, which RFC 8216 §4.1 forbids and packagers write. */
  readonly mark: string;
  readonly lines: readonly Line[];
  /** False: the last line has no end. */
  readonly terminated: boolean;
}

const MARK = "\uFEFF";

export function splitLines(text: string): Lines {
  const mark = text.startsWith(MARK) ? MARK : "";
  const lines: Line[] = [];
  let at = mark.length;
  for (let feed = text.indexOf("\n", at); feed >= 0; feed = text.indexOf("\n", at)) {
    const end = feed > at && text[feed - 1] === "\r" ? "\r\n" : "\n";
    lines.push({ text: text.slice(at, feed + 1 - end.length), end });
    at = feed + 1;
  }
  const terminated = at === text.length;
  // A last line without an end takes the first one's, because copies of other lines may follow it.
  if (!terminated) lines.push({ text: text.slice(at), end: lines[0]?.end ?? "\n" });
  return { mark, lines, terminated };
}

export function joinLines({ mark, lines, terminated }: Lines): string {
  const last = lines.length - 1;
  return mark + lines.map(({ text, end }, at) => (at === last && !terminated ? text : text + end)).join("");
}

/** `#EXT-X-MEDIA` of `#EXT-X-MEDIA:TYPE=AUDIO`; empty where the line is no tag. */
export function tagOf(line: string): string {
  if (!line.startsWith("#EXT")) return "";
  const colon = line.indexOf(":");
  return colon < 0 ? line.trimEnd() : line.slice(0, colon);
}

/** Neither a tag, nor a comment, nor blank. */
export function isUriLine(line: string): boolean {
  return !line.startsWith("#") && line.trim() !== "";
}
