import { a } from "./cycleA.ts"; //! import(no-cycle)

export const b = () => typeof a;
