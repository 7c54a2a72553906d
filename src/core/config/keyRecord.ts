/** The master keys of the record of keys: 32 bytes each, given here or in a key vault. */
import { z } from "zod";
import { isLoopbackUrl, nonEmpty } from "./units.ts";

const MASTER_KEY_BYTES = 32;
const VAULT = "keyvault:";
const HOW =
  "write 32 random bytes in base64 or hexadecimal (openssl rand -base64 32) through ${NAME} or file:PATH, or keyvault:URL-OF-A-SECRET";

/** The bytes of a master key as people write it; null for what is none. */
export function masterKeyBytes(text: string): Uint8Array | null {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, "hex");
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return null;
  const bytes = Buffer.from(trimmed, "base64");
  return bytes.length === MASTER_KEY_BYTES ? bytes : null;
}

/** `https://VAULT.vault.azure.net/secrets/NAME`, with `/VERSION` or without. */
function isSecretUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, username } = new URL(text);
  const encrypted = protocol === "https:" || (protocol === "http:" && isLoopbackUrl(text));
  return encrypted && search === "" && username === "" && /^\/secrets\/[0-9A-Za-z-]{1,127}(\/[0-9a-f]{32})?$/.test(pathname);
}

/** As in the configuration: the key itself, or the URL of a secret that holds it. */
export type MasterKeySource = { readonly masterKey: string } | { readonly vaultSecret: string };

const key = nonEmpty.transform((text, context): MasterKeySource => {
  if (text.startsWith(VAULT)) {
    const vaultSecret = text.slice(VAULT.length);
    if (isSecretUrl(vaultSecret)) return { vaultSecret };
    context.addIssue({
      code: "custom",
      message: "write keyvault:https://VAULT.vault.azure.net/secrets/NAME, with /VERSION at its end or without",
    });
    return z.NEVER;
  }
  if (masterKeyBytes(text) !== null) return { masterKey: text.trim() };
  context.addIssue({ code: "custom", message: HOW });
  return z.NEVER;
});

export const keyRecord = z.strictObject({
  /** The first encrypts; the others are older, and still decrypt. */
  keys: z.array(key).min(1, "name at least one master key, the newest first"),
});
