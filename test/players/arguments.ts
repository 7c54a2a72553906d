/** Arguments of `npm run test:players`. */
import { parseArgs } from "node:util";

export interface PlayersArguments {
  readonly json: boolean;
  /** A small part, within 45 s. */
  readonly quick: boolean;
  /** Words of the cells' names. */
  readonly only: readonly string[];
  /** Pages at a time. */
  readonly parallel: number;
  readonly repetitions: number;
  /** Seconds from the first picture to the loss. */
  readonly lead: number;
  /** Seconds. */
  readonly steeringTtl: number;
  /** File with earlier runs, to which these are added; what it holds often enough is not run again. */
  readonly results: string | null;
  /** Write docs/players.md from all runs. */
  readonly write: boolean;
  /** Only say what would be run, and for how long. */
  readonly list: boolean;
}

/** Throws an error that names the option for what it does not know. */
export function parsePlayersArguments(argv: readonly string[]): PlayersArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      parallel: { type: "string" },
      repetitions: { type: "string" },
      lead: { type: "string" },
      ttl: { type: "string" },
      results: { type: "string" },
      write: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
    },
  });
  const { json, quick, write, list, results = null } = values;
  return {
    json,
    quick,
    write,
    list,
    results,
    only: values.only.flatMap((words) => words.split(",")).filter((word) => word !== ""),
    parallel: wholeNumber("--parallel", values.parallel, quick ? 3 : 2, 1),
    repetitions: wholeNumber("--repetitions", values.repetitions, quick ? 1 : 3, 1),
    lead: wholeNumber("--lead", values.lead, quick ? 4 : 15, 0),
    steeringTtl: wholeNumber("--ttl", values.ttl, 5, 1),
  };
}

function wholeNumber(option: string, text: string | undefined, otherwise: number, least: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`${option} takes a whole number from ${least}`);
  return value;
}
