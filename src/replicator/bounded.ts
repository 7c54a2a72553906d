/** Runs work on many things, a few at a time. */

/**
 * Calls `work` for each item, at most `limit` at a time. After the first failure, or once `stop` aborts, no further item is begun; what is
 * under way is waited for. Rejects with the first failure, or with the reason of `stop`.
 */
export async function forEachBounded<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
  stop?: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0 && stop?.aborted !== true) {
      const item = items[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, worker));
  if (failures.length > 0) throw failures[0];
  if (next < items.length) stop?.throwIfAborted();
}
