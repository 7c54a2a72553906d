/** The certificate authorities that a configuration names: read early, because TLS accepts a file without any certificate in silence. */
import { X509Certificate } from "node:crypto";
import type { ConfigProblem } from "./problems.ts";
import type { Config } from "./schema.ts";

/** `readFile` throws where it cannot. */
export function authorityProblems({ regions }: Config, readFile: (path: string) => string): Omit<ConfigProblem, "line">[] {
  return regions.flatMap(({ caFile }, at) => {
    const message = caFile === undefined ? null : authorityProblem(caFile, readFile);
    return message === null ? [] : [{ path: ["regions", at, "caFile"], message }];
  });
}

const PEM = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function authorityProblem(file: string, readFile: (path: string) => string): string | null {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return `the file ${file} cannot be read (${reason}); name the PEM file of a certificate authority`;
  }
  const certificates = text.match(PEM) ?? [];
  if (certificates.length === 0) return `the file ${file} has no certificate in PEM form (-----BEGIN CERTIFICATE-----)`;
  const bad = certificates.findIndex((pem) => !isCertificate(pem));
  return bad < 0 ? null : `certificate ${bad + 1} of ${certificates.length} in the file ${file} cannot be read; is the file damaged?`;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== "";
  } catch {
    return false;
  }
}
