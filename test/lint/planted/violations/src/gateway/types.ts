import { ReadStream } from "node:fs"; //! typescript(consistent-type-imports)

export type Stream = ReadStream;

type Mode = "redirect" | "steer" | "anchor";

export function status(mode: Mode): number {
  switch (mode) { //! typescript(switch-exhaustiveness-check)
    case "redirect":
      return 302;
    case "steer":
      return 200;
  }
  return 0;
}

export function port(text: string): number {
  const parsed: any = JSON.parse(text); //! typescript(no-explicit-any) //! typescript(no-unsafe-assignment)
  const port = parsed.port; //! typescript(no-unsafe-assignment) //! typescript(no-unsafe-member-access)
  parsed(); //! typescript(no-unsafe-call)
  status(port); //! typescript(no-unsafe-argument)
  return port; //! typescript(no-unsafe-return)
}

export const call: Function = port; //! typescript(no-unsafe-function-type)

export function fail(): never {
  throw "refused"; //! typescript(only-throw-error)
}

export const same = (a: number, b: string | number) => a == b; //! eslint(eqeqeq)
