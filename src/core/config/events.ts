/** How Event Grid tells of new videos: to an address of our own, or into a queue. */
import { z } from "zod";
import { storageCredential } from "./state.ts";
import { baseUrl, isLoopbackUrl, listenAddress, nonEmpty } from "./units.ts";

const guid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "write a GUID")
  .transform((text) => text.toLowerCase());

const entra = z.strictObject({
  /** Directory (tenant) id of the application that stands for this endpoint. */
  tenant: guid,
  /** What tokens are made out to: the application's id URI, or its client id; any of several. */
  audience: z.union([nonEmpty, z.array(nonEmpty).min(1, "name at least one audience")]).transform((audience) => [audience].flat()),
  /** Client id of who may send; left out: whoever gets a token for the audience. */
  appId: guid.optional(),
  /** Where the tenant's signing keys are: another one in national clouds. Plain http only on a loopback address. */
  login: baseUrl
    .refine(
      (url) => url.startsWith("https:") || isLoopbackUrl(url),
      "keys are read here: use https (plain http on a loopback address only)",
    )
    .prefault("https://login.microsoftonline.com"),
  /** Who has issued the tokens; left out: what follows from `tenant` and `login`. */
  issuer: nonEmpty.optional(),
});

const webhookAt = (address: string) =>
  z
    .strictObject({
      /** A listener of its own. Event Grid delivers over https only: a load balancer or proxy in front of it has the certificate. */
      listen: listenAddress.prefault(address),
      path: z
        .string()
        .regex(/^\/[A-Za-z0-9._~/-]+$/, "write a path such as /events")
        .prefault("/events"),
      /** Event Grid sends it with every delivery: in the endpoint's query (`?code=`), or in a delivery attribute, the header x-paircast-events-key. */
      secret: nonEmpty.min(16, "use at least 16 characters").optional(),
      /** The token of Microsoft Entra ID that every delivery has to carry; beside a secret, both are needed. */
      entra: entra.optional(),
    })
    .refine(({ secret, entra: token }) => secret !== undefined || token !== undefined, {
      path: ["secret"],
      error: "anybody could deliver here: set secret, or entra, or both",
    });

export const eventQueue = z
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
export const replicationEvents = z.strictObject({ webhook: webhookAt("127.0.0.1:9091").optional(), queue: eventQueue.optional() });
/** Jobs are encoding's own subscription: whoever takes a message from a queue has it alone. */
export const encodingEvents = z.strictObject({ webhook: webhookAt("127.0.0.1:9092").optional(), queue: eventQueue.optional() });
