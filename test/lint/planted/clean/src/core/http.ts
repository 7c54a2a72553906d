export const limit = () => AbortSignal.timeout(1000);
export const started = () => Date.now();
