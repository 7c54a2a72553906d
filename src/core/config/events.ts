/** How Event Grid tells of new videos: to an address of our own, or into a queue. */
import { z } from "zod";
import { storageCredential } from "./state.ts";
import { baseUrl, isLoopbackUrl, listenAddress, nonEmpty } from "./units.ts";

const webhookAt = (address: string) =>
  z.strictObject({
    /** A listener of its own. Event Grid delivers over https only: a load balancer or proxy in front of it has the certificate. */
    listen: listenAddress.prefault(address),
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9._~/-]+$/, "write a path such as /events")
      .prefault("/events"),
    /** Event Grid sends it with every delivery: in the endpoint's query (`?code=`), or in a delivery attribute, the header x-paircast-events-key. */
    secret: nonEmpty.min(16, "use at least 16 characters"),
  });

const queue = z
  .strictObject({
    /** Of the account's queue service, for instance https://ACCOUNT.queue.core.windows.net. Plain http only on a loopback address. */
    url: baseUrl,
    name: z.string().regex(/^[a-z0-9]([a-z0-9]|-(?=[a-z0-9])){2,62}$/, "write the name of a Storage queue"),
    credential: storageCredential.prefault({ kind: "default" }),
  })
  .superRefine(({ url, credential }, context) => {
    const problem = (message: string): void => {
      context.addIssue({ code: "custom", path: ["url"], message });
    };
    if (url.startsWith("https:")) return;
    if (!isLoopbackUrl(url)) problem("credentials are sent here: use https (plain http is allowed on a loopback address only)");
    else if (credential.kind === "default") problem("tokens are sent over https only: use an account key or a SAS here, or https");
  });

/** With neither, new videos are found by looking for them. */
export const replicationEvents = z.strictObject({ webhook: webhookAt("127.0.0.1:9091").optional(), queue: queue.optional() });
/** Jobs are encoding's own subscription: whoever takes a message from a queue has it alone. */
export const encodingEvents = z.strictObject({ webhook: webhookAt("127.0.0.1:9092").optional(), queue: queue.optional() });
