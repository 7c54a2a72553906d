/** Runs work on many things, a few at a time. */

/**
 * Calls `work` for each item, at most `limit` at a time. After the first failure, or once `stop` aborts, no further item is begun; what is
 * under way is waited for. Rejects with the first failure, or with the reason of `stop`. Items that come asynchronously are asked for when they
 * can be worked on.
 */
export async function forEachBounded<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
  stop?: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let ended = false;
  const next = async (): Promise<IteratorResult<T, unknown>> => {
    const result = await source.next();
    if (result.done === true) ended = true;
    return result;
  };
  const worker = async (): Promise<void> => {
    while (!ended && failures.length === 0 && stop?.aborted !== true) {
      try {
        const result = await next();
        if (result.done !== true) await work(result.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  // A stop that came after the last item stopped nothing.
  if (failures.length === 0 && !ended) await next();
  if (!ended) await source.return?.();
  if (failures.length > 0) throw failures[0];
  if (!ended) stop?.throwIfAborted();
}
