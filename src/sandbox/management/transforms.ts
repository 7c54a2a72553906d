/** Transforms: what jobs do. */
import type { JsonObject } from "../contracts.ts";
import { bodyOf, deleted, type Call, type Reply, type Route } from "./call.ts";
import { found, stampOf, type Emulator } from "./emulator.ts";
import { badRequest } from "./errors.ts";
import { objectField, objectsField, optional, textField } from "./fields.ts";
import type { JobRunner } from "./jobRunner.ts";
import { NamedMap } from "./namedMap.ts";
import { LISTINGS, page } from "./odata.ts";
import type { TransformRecord } from "./records.ts";
import { entityBody } from "./resources.ts";
import { formatTicks } from "./times.ts";
import { storedPreset } from "./transformPresets.ts";

export function transformRoutes(emulator: Emulator, runner: JobRunner): Route[] {
  const { store } = emulator;
  const existing = (call: Call) => store.transforms.get(call.param("transform"));
  const body = ({ name, description, outputs, stamp }: TransformRecord): JsonObject => {
    const [created, lastModified] = [formatTicks(stamp.created), formatTicks(stamp.modified)];
    return entityBody(
      emulator.account,
      `/transforms/${name}`,
      { created, ...optional("description", description), lastModified, outputs },
      stamp,
    );
  };
  const write = (call: Call, before: TransformRecord | undefined, properties: JsonObject): Reply => {
    const transform = {
      name: before?.name ?? call.param("transform"),
      description: textField(properties, "description"),
      outputs: storedOutputs(properties),
      stamp: stampOf(emulator, before),
      jobs: before?.jobs ?? new NamedMap(),
    };
    store.transforms.set(transform);
    return { status: before === undefined ? 201 : 200, body: body(transform) };
  };
  const one = "transforms/:transform";
  return [
    {
      method: "GET",
      path: "transforms",
      handle: (call) => {
        const bodies = store.transforms.values().map(body);
        return { status: 200, body: page(bodies, LISTINGS.transforms, call.url, emulator.switches.pageSize) };
      },
    },
    { method: "GET", path: one, handle: (call) => ({ status: 200, body: body(found(existing(call))) }) },
    { method: "PUT", path: one, handle: (call) => write(call, existing(call), objectField(bodyOf(call), "properties")) },
    {
      method: "PATCH",
      path: one,
      handle: (call) => {
        const before = found(existing(call));
        const { description, outputs } = before;
        return write(call, before, { description, outputs, ...objectField(bodyOf(call), "properties") });
      },
    },
    {
      method: "DELETE",
      path: one,
      handle: (call) => {
        for (const job of existing(call)?.jobs.values() ?? []) runner.abandon(job);
        return deleted(store.transforms.delete(call.param("transform")));
      },
    },
  ];
}

function storedOutputs(properties: JsonObject): JsonObject[] {
  const outputs = objectsField(properties, "outputs");
  if (outputs.length === 0) throw badRequest("A transform needs at least one output.");
  return outputs.map((output) => {
    return { onError: "StopProcessingJob", relativePriority: "Normal", ...output, preset: storedPreset(objectField(output, "preset")) };
  });
}
