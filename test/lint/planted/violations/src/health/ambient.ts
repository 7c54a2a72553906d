export const started = Date.now(); //! eslint(no-restricted-properties) Take a Clock
export const { now } = Date; //! eslint(no-restricted-properties) Take a Clock
export const today = new Date(); //! paircast(no-ambient-date) It reads the clock
export const text = Date(); //! paircast(no-ambient-date) It reads the clock
export const chance = Math.random(); //! eslint(no-restricted-properties) Take a Random
export const id = crypto.randomUUID(); //! eslint(no-restricted-properties) Take a Random
export const limit = AbortSignal.timeout(1000); //! eslint(no-restricted-properties) Take a Clock and its deadline
export const timer = setTimeout(() => undefined, 1); //! eslint(no-restricted-globals) Take a Clock
export const ticker = setInterval(() => undefined, 1); //! eslint(no-restricted-globals) Take a Clock
export const soon = setImmediate(() => undefined); //! eslint(no-restricted-globals) Take a Clock
export const elapsed = performance.now(); //! eslint(no-restricted-globals) Take a Clock
export const answer = fetch("http://127.0.0.1/"); //! eslint(no-restricted-globals) Take an HttpClient
export const hidden = globalThis.fetch("http://127.0.0.1/"); //! eslint(no-restricted-globals) It hides
console.log("probed"); //! eslint(no-console)
process.exit(0); //! eslint(no-restricted-properties) Only main.ts ends the process
