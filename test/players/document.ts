/** docs/players.md, written from results. Pure. */
import type { Figure, Goal, Table } from "../bench/frame.ts";
import { judge } from "../bench/frame.ts";
import { figuresOf } from "./figures.ts";
import type { Results } from "./results.ts";
import { tablesOf } from "./tables.ts";

const LEGEND = `\`npm run test:players -- --write\` makes this page; it is not edited by hand.

Real players in headless Chromium play the sandbox's sample (video and audio, segments of 2 s) through the gateway. The region that they play from
is lost in one of six ways, once they have filled their buffer:

| | |
|---|---|
| refused | nothing listens any more, open connections are closed |
| reset | connections are reset |
| 503, 404 | every request gets that status, readable by the page |
| blackhole | connections are accepted or stay open, and nothing is answered any more |
| half-body | half of each answer, then nothing |

A cell is **longest stall / first segment from the other region after the loss**, in seconds, the worst of all runs. A stall is time in which the
position does not go on, or for a second and more no new picture is shown; below 0.25 s none is counted. A viewer is watched until what was
buffered before the loss has been played and playback goes on, with 30 s until the buffer is full again. *stops*: playback did not go on within the
buffer's length and 20 s more. *fatal*: the player said that it could not go on (dash.js says so of every segment that it asks elsewhere, which is not
counted while it plays on). *–*: nothing came from the other region while it was watched.`;

export function playersDocument(
  { versions, runs }: Results,
  goals: Readonly<Record<string, Readonly<Record<string, readonly Goal[]>>>>,
): string {
  const dates = runs.map(({ date }) => date.slice(0, 10)).toSorted();
  const programs = Object.entries(versions).map(([program, version]) => `${program} ${version}`);
  const settings = [...new Set(runs.map(({ lead, steeringTtl }) => `region lost after ${lead} s, steering TTL ${steeringTtl} s`))];
  const span = dates[0] === dates.at(-1) ? (dates[0] ?? "") : `${dates[0] ?? ""} to ${dates.at(-1) ?? ""}`;
  const facts = [`${span}, ${runs.length} runs; ${settings.join("; ")}.`, `${programs.join(", ")}.`].join("\n");
  const sections = [figureTable(figuresOf(runs, runs), versions, goals), ...tablesOf(runs, runs)].map(section);
  return `# Players that lose their region\n\n${LEGEND}\n\n${facts}\n\n${sections.join("\n\n")}\n`;
}

function figureTable(
  figures: readonly Figure[],
  versions: Readonly<Record<string, string>>,
  goals: Readonly<Record<string, Readonly<Record<string, readonly Goal[]>>>>,
): Table {
  const report = judge("players", { versions, figures, notes: [] }, goals);
  const rows = report.figures.map(({ name, value, unit, goal, holds, peers }) => [
    `${name}, ${unit}`,
    shown(value),
    goal === null ? "" : shown(goal),
    holds === null ? "" : holds ? "holds" : "missed",
    "redirect" in peers ? shown(peers["redirect"] ?? null) : "",
  ]);
  return { title: "Figures", columns: ["", "measured", "goal", "", "redirect mode"], rows };
}

function shown(value: number | null): string {
  return value === null ? "never" : String(value);
}

function section({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const heading = title.charAt(0).toUpperCase() + title.slice(1);
  return [`## ${heading}`, "", line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}
