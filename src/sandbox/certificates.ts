/** Throw-away certificates for the sandbox with TLS: an authority and what it issues exist in memory only. */
import { isIP } from "node:net";
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";

/** PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface ServerCertificates {
  readonly valid: Certificate;
  /** The same names, by the same authority, and out of date since yesterday. */
  readonly expired: Certificate;
}

export interface CertificateAuthority {
  /** PEM to trust. */
  readonly ca: string;
  /** Certificates for a server at `addresses`, IP addresses or host names. */
  issue(addresses: readonly string[]): Promise<ServerCertificates>;
}

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 30;
const COMMON = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** A new authority. Throws `selfsigned_missing` where the development dependency that makes certificates is not installed. */
export async function createAuthority(clock: Clock): Promise<CertificateAuthority> {
  const { generate } = await import("selfsigned").catch((cause: unknown) => {
    throw new PaircastError(
      "selfsigned_missing",
      "the sandbox with TLS needs the package selfsigned, a development dependency: run `npm ci` without --omit=dev",
      { cause },
    );
  });
  const period = (fromDays: number, toDays: number): { notBeforeDate: Date; notAfterDate: Date } => ({
    notBeforeDate: new Date(clock.now() + fromDays * DAY_MS),
    notAfterDate: new Date(clock.now() + toDays * DAY_MS),
  });
  const authority = await generate([{ name: "commonName", value: "paircast sandbox authority" }], {
    ...COMMON,
    ...period(-LIFETIME_DAYS, LIFETIME_DAYS),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const issue = async (addresses: readonly string[], fromDays: number, toDays: number): Promise<Certificate> => {
    const { private: key, cert } = await generate([{ name: "commonName", value: addresses[0] ?? "paircast sandbox" }], {
      ...COMMON,
      ...period(fromDays, toDays),
      ca: { key: authority.private, cert: authority.cert },
      extensions: [
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: addresses.map((address) => alternativeName(address)) },
      ],
    });
    return { key, cert };
  };
  return {
    ca: authority.cert,
    issue: async (addresses) => ({
      valid: await issue(addresses, -1, LIFETIME_DAYS),
      expired: await issue(addresses, -LIFETIME_DAYS, -1),
    }),
  };
}

function alternativeName(address: string): { type: 7; ip: string } | { type: 2; value: string } {
  return isIP(address) === 0 ? { type: 2, value: address } : { type: 7, ip: address };
}
