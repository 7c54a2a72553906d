/** What the schema of encoding cannot say. */
import type { ConfigProblem } from "./problems.ts";
import type { Config } from "./schema.ts";

type Problem = Omit<ConfigProblem, "line">;

export function encodingProblems({ encoding, regions, state, replication }: Config): Problem[] {
  if (encoding === undefined) return [];
  const able = regions.filter(({ account }) => account.driver === "ams").map(({ name }) => name);
  const problems: Problem[] = [];
  if (able.length === 0)
    problems.push({ path: ["encoding"], message: "no region has a media account of the driver `ams`, so nothing can be encoded" });
  encoding.accounts?.forEach(({ region }, at, all) => {
    const path = ["encoding", "accounts", at, "region"];
    if (!able.includes(region)) problems.push({ path, message: `no region named ${region} has a media account of the driver \`ams\`` });
    if (all.findIndex((other) => other.region === region) < at) problems.push({ path, message: "is listed twice" });
  });
  encoding.transforms.forEach(({ name }, at, all) => {
    if (all.findIndex((other) => other.name === name) < at)
      problems.push({ path: ["encoding", "transforms", at, "name"], message: "another transform has this name; names must differ" });
  });
  if (encoding.publish !== undefined && state.tables !== undefined && state.queues === undefined)
    problems.push({
      path: ["encoding", "publish"],
      message: "what is published becomes work in a queue: add state.queues, or remove this",
    });
  if (encoding.publish !== undefined && !replication.enabled)
    problems.push({
      path: ["encoding", "publish"],
      message: "nobody would carry it to the other regions: set replication.enabled, or remove this",
    });
  return problems;
}
