import { b } from "./cycleB.ts"; //! import(no-cycle)

export const a = () => b();
