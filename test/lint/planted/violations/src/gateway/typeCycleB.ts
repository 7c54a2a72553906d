import type { A } from "./typeCycleA.ts"; //! import(no-cycle)

export interface B {
  readonly a: A | null;
}
