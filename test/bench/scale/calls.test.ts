import { describe, expect, it } from "vitest";
import { asksForWork, CallTally, kindOf, QUEUES, TABLES, type Kind } from "./calls.ts";

type Line = Parameters<typeof kindOf>[0];

function line(words: string, copies = false): Line {
  const [service = "", region = "", method = "", target = ""] = words.split("|");
  return { service: service as Line["service"], region, method, target, copies };
}

describe("kindOf", () => {
  const ACCOUNT = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Media/mediaServices/m";
  it.each<[string, Kind | null]>([
    [`management|west|GET|${ACCOUNT}/assets/a?api-version=1`, "management reads"],
    [`management|west|POST|${ACCOUNT}/streamingLocators/l/listPaths?api-version=1`, "management actions"],
    [`management|north|PUT|${ACCOUNT}/assets/a?api-version=1`, "management writes"],
    ["management|west|POST|/auth/token", null],
    ["storage|north|GET|/account/container?restype=container&comp=list&prefix=a", "storage lists"],
    ["storage|north|HEAD|/account/container/blob", "storage reads"],
    ["storage|north|PUT|/account/container/blob?comp=metadata", "storage writes"],
    [`storage|${TABLES}worker1|GET|/state/journal()?$filter=x`, "table reads"],
    [`storage|${TABLES}worker1|POST|/state/$batch`, "table writes"],
    [`storage|${QUEUES}worker1|DELETE|/state/jobs/messages/1?popreceipt=x`, "queue transactions"],
    ["streaming|north|GET|/id/video.ism/manifest(format=m3u8-cmaf)", "streaming and keys"],
    ["keys|north|GET|/?kid=1", "streaming and keys"],
  ])("%s", (words, kind) => {
    expect(kindOf(line(words))).toBe(kind);
  });

  it("tells a copy by its header", () => {
    expect(kindOf(line("storage|north|PUT|/account/container/blob", true))).toBe("storage copies");
  });
});

it("a worker asks for work where it takes messages, not where it gives one back", () => {
  expect(asksForWork(line(`storage|${QUEUES}worker1|GET|/state/jobs/messages?visibilitytimeout=60`))).toBe(true);
  expect(asksForWork(line(`storage|${QUEUES}worker1|POST|/state/jobs/messages?messagettl=-1`))).toBe(false);
  expect(asksForWork(line(`storage|${QUEUES}worker1|GET|/state/jobs?comp=metadata`))).toBe(false);
});

it("counts by kind, and each blob that was copied more than once", () => {
  const tally = new CallTally();
  for (const query of ["", "?sig=1", "?sig=2"]) tally.note(line(`storage|north|PUT|/account/container/one${query}`, true));
  tally.note(line("storage|north|PUT|/account/container/two", true));
  tally.note(line("storage|north|GET|/account/container/two"));
  expect([tally.of("storage copies"), tally.of("storage reads"), tally.of("table reads")]).toEqual([4, 1, 0]);
  expect(tally.copiedTwice).toBe(1);
});
