import { expect, it } from "vitest";
import { sightingsIn } from "../../src/encoding/eventRegions.ts";

const ACCOUNT = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Media/mediaservices/WestMedia";
const event = {
  id: "1",
  eventType: "Microsoft.Media.JobProcessing",
  topic: ACCOUNT,
  subject: "transforms/ladder/jobs/job-a1",
  eventTime: "2026-01-01T00:00:00.0000000",
  data: { state: "Processing" },
};

it("speaks of regions, where events speak of accounts, in any case of letters", () => {
  const regions = [
    { region: "west", accountName: "westMEDIA" },
    { region: "east", accountName: "eastmedia" },
  ];
  expect(sightingsIn([event], regions)).toMatchObject([{ account: "west", jobName: "job-a1", state: "processing" }]);
  expect(sightingsIn([event], regions.slice(1))).toEqual([]);
});

it("leaves it to the job's name which of two accounts of one name is meant", () => {
  const regions = ["west", "east"].map((region) => ({ region, accountName: "westmedia" }));
  expect(sightingsIn([event], regions).map(({ account }) => account)).toEqual(["west", "east"]);
});
