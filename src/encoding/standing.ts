/** Pure: as much of an account's state as its jobs and their files need. */
import type { AccountState } from "../core/encoding.ts";

/** `disabled`: an operator wants no jobs there. Null: it is not configured any more, or its region has files and does not encode. */
export type Standing = (Pick<AccountState, "status" | "reason"> & { readonly disabled?: boolean }) | null;
export type Standings = (account: string) => Standing;

/** Nobody answers there, or not to us; nor where there is no account. */
export function isSilent(standing: Standing): boolean {
  return standing === null || (standing.status === "out" && (standing.reason === "unreachable" || standing.reason === "failing"));
}

export function isDenied(standing: Standing): boolean {
  return standing?.status === "out" && standing.reason === "denied";
}

/** Its storage may be asked: a region that has files need not encode. */
export function hasStorage(standing: Standing): boolean {
  return standing === null || !(isSilent(standing) || isDenied(standing));
}
