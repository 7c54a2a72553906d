/** Who is told what becomes of encoding jobs: an address, a queue, or both. */
import type { Config } from "../core/config/schema.ts";
import type { EncodingNotice } from "../encoding/notice.ts";
import { Notices, type NoticeChannel } from "../encoding/notices.ts";
import type { Foundations } from "./foundations.ts";
import { loginOf } from "./stores.ts";

type NotifyConfig = NonNullable<NonNullable<Config["encoding"]>["notify"]>;

/** Null where nobody listens. */
export async function noticesOf(
  notify: NotifyConfig | undefined,
  foundations: Pick<Foundations, "clock" | "random">,
): Promise<((notice: EncodingNotice, signal: AbortSignal) => Promise<void>) | null> {
  if (notify === undefined) return null;
  const { url, secret, queue, format } = notify;
  const channels: NoticeChannel[] = [];
  if (url !== undefined && secret !== undefined) channels.push(await webhookChannel({ url, secret }));
  if (queue !== undefined) channels.push(await queueChannel(queue, foundations));
  return new Notices(channels, format).tell;
}

async function webhookChannel(address: { readonly url: string; readonly secret: string }): Promise<NoticeChannel> {
  const { postNotice } = await import("../encoding/adapters/webhookNotice.ts");
  return { name: "webhook", post: async (notice, signal) => postNotice(address, notice, signal) };
}

/** The SDK is loaded where it is used. */
async function queueChannel(
  { url, name, credential }: NonNullable<NotifyConfig["queue"]>,
  { clock, random }: Pick<Foundations, "clock" | "random">,
): Promise<NoticeChannel> {
  const { putNotice } = await import("../encoding/adapters/queueNotice.ts");
  const { queueClient } = await import("../replicator/adapters/queueClient.ts");
  const { ServiceCalls } = await import("../replicator/adapters/serviceCalls.ts");
  const login = await loginOf(credential);
  const client = queueClient({ url, name, login, calls: new ServiceCalls({ clock, random }) }, `queue ${name} at ${new URL(url).host}`);
  return { name: "queue", post: async (notice, signal) => putNotice(client, notice, signal) };
}
