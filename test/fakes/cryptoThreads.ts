/** WebCrypto works in threads. What of it is under way can be waited for here, so that a clock under control does not run ahead of a signature. */
import { webcrypto } from "node:crypto";

const METHODS = ["sign", "verify", "digest", "encrypt", "decrypt", "importKey", "generateKey", "deriveBits"] as const;

type Call = (...given: readonly unknown[]) => Promise<unknown>;

const underway = new Set<Promise<void>>();
const prototype = Object.getPrototypeOf(webcrypto.subtle) as Record<(typeof METHODS)[number], Call>;

for (const name of METHODS) {
  const call = prototype[name];
  prototype[name] = function counted(this: unknown, ...given) {
    const answer = call.apply(this, [...given]);
    const ended: Promise<void> = answer.then(
      () => void underway.delete(ended),
      () => void underway.delete(ended),
    );
    underway.add(ended);
    return answer;
  };
}

/** Resolves when all that was under way has ended; false where nothing was. */
export async function cryptoEnded(): Promise<boolean> {
  if (underway.size === 0) return false;
  await Promise.all(underway);
  return true;
}
