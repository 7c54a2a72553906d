/** Figures as people read them. */

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** `1.2 MB`; powers of a thousand. */
export function bytesText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? "B"}`;
}

const SPANS: readonly (readonly [number, string])[] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** `2 d 3 h`, `5 min 10 s`, `12 s`: the two greatest units. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const at = SPANS.findIndex(([length]) => seconds >= length);
  const span = SPANS[at];
  if (span === undefined) return `${seconds} s`;
  const [length, unit] = span;
  const [below, belowUnit] = SPANS[at + 1] ?? [1, "s"];
  const rest = Math.floor((seconds % length) / below);
  return `${Math.floor(seconds / length)} ${unit}${rest === 0 ? "" : ` ${rest} ${belowUnit}`}`;
}

/** `1 asset`, `2 assets`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
