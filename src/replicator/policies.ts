/** Content key policies (with their secrets) and custom streaming policies, made equal on the target under the same names. */
import type { MediaAccount } from "../core/ports/media.ts";
import { diffStreamingPolicy } from "./diff.ts";
import { withSecretsOf } from "./hiddenSecrets.ts";
import { contentKeyPolicyTree, streamingPolicyTree } from "./normalise.ts";
import { isPredefined } from "./references.ts";
import type { JobContext } from "./runJob.ts";
import type { Survey } from "./survey.ts";
import { updatableTask, type EntityTask } from "./tasks.ts";

/** Content key policies first: streaming policies name them. */
export function policyTasks(context: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  const { signal } = context;
  const keyPolicies = [...survey.contentKeyPolicies.values()].map((policy) =>
    updatableTask(context, {
      what: `content key policy ${policy.name}`,
      source: contentKeyPolicyTree(policy.properties),
      read: async () => {
        const there = await target.contentKeyPolicy(policy.name, signal);
        if (there === null) return null;
        const tree = contentKeyPolicyTree(there.properties);
        return there.secretsHidden === true ? withSecretsOf(tree, contentKeyPolicyTree(policy.properties)) : tree;
      },
      write: () => target.putContentKeyPolicy(policy, signal),
    }),
  );
  const custom = [...survey.streamingPolicies.values()].filter(({ name }) => !isPredefined(name));
  const streamingPolicies = custom.map((policy): EntityTask => ({
    what: `streaming policy ${policy.name}`,
    look: async () => {
      const there = await target.streamingPolicy(policy.name, signal);
      const tree = there === null ? null : streamingPolicyTree(there.properties);
      return diffStreamingPolicy(policy.name, streamingPolicyTree(policy.properties), tree);
    },
    write: () => target.createStreamingPolicy(policy, signal),
  }));
  return [...keyPolicies, ...streamingPolicies];
}
