/** Tracks of assets. Recorded are only those of an asset without files; tracks of encoded assets are refused rather than invented. */
import { deleted, type Call, type Reply, type Route } from "./call.ts";
import { found, type Emulator } from "./emulator.ts";
import { badRequest, notEmulated, notFound } from "./errors.ts";
import { LISTINGS, page } from "./odata.ts";

export function trackRoutes(emulator: Emulator): Route[] {
  /** Goes on only for an asset without a server manifest. */
  const withoutFiles = async (call: Call): Promise<void> => {
    const asset = found(emulator.store.assets.get(call.param("asset")));
    if ((await emulator.manifestName(asset.name)) !== null) throw notEmulated("tracks of encoded assets");
  };
  const noFile = async (call: Call): Promise<Reply> => {
    await withoutFiles(call);
    throw badRequest("Target resource file does not exist.");
  };
  const one = "assets/:asset/tracks/:track";
  return [
    {
      method: "GET",
      path: "assets/:asset/tracks",
      handle: async (call) => {
        await withoutFiles(call);
        return { status: 200, body: page([], LISTINGS.plain, call.url, emulator.switches.pageSize) };
      },
    },
    {
      method: "GET",
      path: one,
      handle: async (call) => {
        await withoutFiles(call);
        throw notFound();
      },
    },
    { method: "PUT", path: one, handle: noFile },
    { method: "PATCH", path: one, handle: noFile },
    {
      method: "DELETE",
      path: one,
      handle: async (call) => {
        await withoutFiles(call);
        return deleted(false);
      },
    },
  ];
}
