/** Content key policies (with their secrets) and custom streaming policies, made equal on the target under the same names. */
import type { CommonReads } from "./commonReads.ts";
import { diffStreamingPolicy } from "./diff.ts";
import { withSecretsOf } from "./hiddenSecrets.ts";
import { contentKeyPolicyTree, streamingPolicyTree } from "./normalise.ts";
import { isPredefined } from "./references.ts";
import type { Survey } from "./survey.ts";
import { updatableTask, type EntityTask, type TaskContext } from "./tasks.ts";

/** Content key policies first: streaming policies name them. */
export function policyTasks(
  context: TaskContext,
  survey: Pick<Survey, "contentKeyPolicies" | "streamingPolicies">,
  target: CommonReads,
): readonly EntityTask[] {
  const keyPolicies = [...survey.contentKeyPolicies.values()].map((policy) =>
    updatableTask(context, {
      what: `content key policy ${policy.name}`,
      source: contentKeyPolicyTree(policy.properties),
      read: async (freshness) => {
        const there = await target.contentKeyPolicy(policy.name, freshness);
        if (there === null) return null;
        const tree = contentKeyPolicyTree(there.properties);
        return there.secretsHidden === true ? withSecretsOf(tree, contentKeyPolicyTree(policy.properties)) : tree;
      },
      write: () => target.putContentKeyPolicy(policy),
    }),
  );
  const custom = [...survey.streamingPolicies.values()].filter(({ name }) => !isPredefined(name));
  const streamingPolicies = custom.map((policy): EntityTask => ({
    what: `streaming policy ${policy.name}`,
    look: async (freshness) => {
      const there = await target.streamingPolicy(policy.name, freshness);
      const tree = there === null ? null : streamingPolicyTree(there.properties);
      return diffStreamingPolicy(policy.name, streamingPolicyTree(policy.properties), tree);
    },
    write: () => target.createStreamingPolicy(policy),
  }));
  return [...keyPolicies, ...streamingPolicies];
}
