/** Pure: places in accounts, as a write of a job changes them. */

/** Account -> how many more places than before; accounts without a change are left out. */
export function placesChanged(before: readonly string[], after: readonly string[]): ReadonlyMap<string, number> {
  const changes = new Map<string, number>();
  const add = (account: string, by: number): void => {
    changes.set(account, (changes.get(account) ?? 0) + by);
  };
  for (const account of after) add(account, 1);
  for (const account of before) add(account, -1);
  return new Map([...changes].filter(([, change]) => change !== 0));
}

/** True where each account that gets more has room for them. */
export function placesFit(
  changes: ReadonlyMap<string, number>,
  taken: (account: string) => number,
  capacity: Readonly<Record<string, number>>,
): boolean {
  return [...changes].every(
    ([account, change]) => change < 0 || taken(account) + change <= (capacity[account] ?? Number.POSITIVE_INFINITY),
  );
}
