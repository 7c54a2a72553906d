/** The skeleton of docs/drivers.md keeps the contract, and is what the page shows. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeBlobContainer } from "../../../conformance/blobContainer.ts";
import { ManualClock } from "../../../fakes/clock.ts";
import { ShelfContainer } from "./shelfContainer.ts";
import { ShelfService } from "./shelfService.ts";

describeBlobContainer("the shelf service of docs/drivers.md", async () => {
  const service = new ShelfService();
  const clock = new ManualClock();
  const open = (shelf: string, ask = service.ask): ShelfContainer => new ShelfContainer(shelf, ask, clock);
  service.shelf("nobody").exists = false;
  return {
    source: open("source"),
    target: open("target"),
    readOnly: open("target", service.readOnly),
    missing: open("nobody"),
    unreachable: open("target", async () => Promise.reject(new Error("refused"))),
    seed: async (name, content, properties) => {
      service.shelf("source").put(name, content, properties);
    },
    remove: async (name) => {
      service.shelf("source").remove(name);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

describe("docs/drivers.md", () => {
  it("shows the skeleton as it stands here, with the imports of an adapter", () => {
    const [skeleton = ""] = [...read("../../../../docs/drivers.md").matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
    const here = read("./shelfContainer.ts")
      .replaceAll("../../../../src/core/", "../../core/")
      .replaceAll("../../../../src/replicator/adapters/", "./");
    expect(skeleton).toBe(here);
  });
});
