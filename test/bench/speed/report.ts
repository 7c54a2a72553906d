/** Speeds as figures and tables. */
import type { Figure, Table } from "../frame.ts";
import type { Speed } from "./rounds.ts";

export function speedFigure(name: string, unit: string, speeds: ReadonlyMap<string, Speed>, of: (speed: Speed) => number): Figure {
  const own = speeds.get("paircast");
  const peers = Object.fromEntries([...speeds].filter(([peer]) => peer !== "paircast").map(([peer, speed]) => [peer, of(speed)]));
  return { name, unit, value: own === undefined ? Number.NaN : of(own), peers };
}

export function speedTable(title: string, speeds: ReadonlyMap<string, Speed>): Table {
  const nginx = speeds.get("nginx")?.cpuMicros;
  return {
    title,
    columns: ["", "µs CPU/request", "of nginx", "requests/s", "p99 ms", "RSS MiB", "errors"],
    rows: [...speeds].map(([name, { cpuMicros, perSecond, p99Ms, rssMiB, errors }]) => [
      name,
      cpuMicros.toFixed(2),
      nginx === undefined ? "" : (cpuMicros / nginx).toFixed(2),
      perSecond.toFixed(0),
      p99Ms.toFixed(1),
      rssMiB.toFixed(0),
      String(errors),
    ]),
  };
}
