import type { B } from "./typeCycleB.ts"; //! import(no-cycle)

export interface A {
  readonly b: B | null;
}
