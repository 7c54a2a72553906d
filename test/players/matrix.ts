/** The cells of the matrix: which player loses which region how, in which mode. */
import type { PlayerName } from "./page/types.d.ts";

export const PLAYERS = ["hls.js", "shaka-hls", "shaka-dash", "dash.js", "video.js"] as const satisfies readonly PlayerName[];
export const MODES = ["redirect", "steer", "anchor"] as const;
export const FAULTS = ["refused", "reset", "503", "404", "blackhole", "half-body"] as const;
export const STEERING_FAULTS = ["dead", "dies", "hangs", "500"] as const;
export const CONTENTS = ["vod", "live"] as const;
export const PROTECTIONS = ["clear", "aes"] as const;
export const BUFFERS = [6, 30] as const;

export type Mode = (typeof MODES)[number];
export type RegionFault = (typeof FAULTS)[number];
/** `dead` from the start, `dies` while the video plays; closed without an answer, both. */
export type SteeringFault = (typeof STEERING_FAULTS)[number];

/**
 * - `loss` region A is lost · `outage` the steering server is, and region A after it · `return` region A is lost and comes back
 */
export type Story = "loss" | "outage" | "return";

export interface Cell {
  readonly story: Story;
  readonly player: PlayerName;
  readonly mode: Mode;
  readonly content: (typeof CONTENTS)[number];
  readonly protection: (typeof PROTECTIONS)[number];
  readonly fault: RegionFault;
  /** In the story `outage`. */
  readonly steering: SteeringFault | null;
  /** Seconds. */
  readonly buffer: (typeof BUFFERS)[number];
  /** With the client kit. */
  readonly kit: boolean;
}

/** Unique among the cells; each part is a word that `--only` knows. */
export function cellName({ story, player, mode, content, protection, fault, steering, buffer, kit }: Cell): string {
  const parts = [story, player, mode, content, protection, fault, `${buffer}s`, kit ? "kit" : "plain"];
  return [...parts, ...(steering === null ? [] : [`steering-${steering}`])].join("/");
}

const isDash = (player: PlayerName): boolean => player === "shaka-dash" || player === "dash.js";

/** What exists: dash.js has no AES-128 of whole segments, regions are lost live in HLS, and a live window holds no 30 s. */
function exists({ player, content, protection, buffer }: Pick<Cell, "player" | "content" | "protection" | "buffer">): boolean {
  if (player === "dash.js" && protection === "aes") return false;
  return content === "vod" || (!isDash(player) && buffer === 6);
}

/** In redirect mode all that the kit can do is to load anew: seen once per player and fault. */
function isWatchdogCell({ content, protection, buffer }: Cell): boolean {
  return content === "vod" && protection === "clear" && buffer === 6;
}

function lossCells(): Cell[] {
  const cells: Cell[] = [];
  for (const fault of FAULTS)
    for (const buffer of BUFFERS)
      for (const content of CONTENTS)
        for (const mode of MODES)
          for (const kit of [true, false])
            for (const protection of PROTECTIONS)
              for (const player of PLAYERS)
                cells.push({ story: "loss", player, mode, content, protection, fault, steering: null, buffer, kit });
  return cells.filter((cell) => exists(cell) && (cell.mode !== "redirect" || !cell.kit || isWatchdogCell(cell)));
}

const CLEAR_VOD = { content: "vod", protection: "clear", fault: "refused" } as const;

function outageCells(): Cell[] {
  return STEERING_FAULTS.flatMap((steering) =>
    [true, false].flatMap((kit) =>
      PLAYERS.map((player): Cell => ({ ...CLEAR_VOD, story: "outage", player, mode: "steer", steering, buffer: 30, kit })),
    ),
  );
}

/** Live, because the sample on demand would end before the last player may come back. */
function returnCells(): Cell[] {
  return [true, false].flatMap((kit) =>
    PLAYERS.map((player): Cell => ({
      ...CLEAR_VOD,
      story: "return",
      player,
      mode: "steer",
      content: "live",
      steering: null,
      buffer: 6,
      kit,
    })),
  );
}

const QUICK: readonly Pick<Cell, "player" | "mode" | "kit">[] = [
  { player: "hls.js", mode: "redirect", kit: false },
  { player: "hls.js", mode: "steer", kit: true },
  { player: "shaka-hls", mode: "steer", kit: true },
];

/** A small part, all of which is lost in one go. */
export function quickCells(): readonly Cell[] {
  return QUICK.map((cell) => ({ ...CLEAR_VOD, story: "loss", steering: null, buffer: 6, ...cell }));
}

/**
 * All cells, or those that have a word of each kind that `only` names: `hls.js,shaka-hls,steer` are the steered cells of two players.
 * Throws an error that names a word it does not know.
 */
export function cellsOf(only: readonly string[]): readonly Cell[] {
  const all = [...lossCells(), ...outageCells(), ...returnCells()].map((cell) => ({ cell, words: cellName(cell).split("/") }));
  const unknown = only.filter((word) => !all.some(({ words }) => words.includes(word)));
  if (unknown.length > 0) throw new Error(`--only knows no ${unknown.join(", ")}`);
  const kinds = Array.from({ length: 9 }, (_, kind) => only.filter((word) => all.some(({ words }) => words[kind] === word)));
  return all
    .filter(({ words }) => kinds.every((chosen, kind) => chosen.length === 0 || chosen.includes(words[kind] ?? "")))
    .map(({ cell }) => cell);
}

/** Cells of one batch lose their region together, so they must lose it in the same way; those with equal buffers watch for as long. */
export function batchesOf(cells: readonly Cell[], size: number): readonly (readonly Cell[])[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = [cell.story, cell.fault, cell.buffer].join("/");
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / size) }, (_, at) => group.slice(at * size, (at + 1) * size)),
  );
}
