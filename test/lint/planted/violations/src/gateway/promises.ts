async function answer(): Promise<number> {
  return await Promise.resolve(1);
}

export function forget(): void {
  answer(); //! typescript(no-floating-promises)
}

export function each(regions: readonly string[]): void {
  regions.forEach(async () => { //! typescript(no-misused-promises)
    await answer();
  });
  if (answer()) forget(); //! typescript(no-misused-promises)
}
