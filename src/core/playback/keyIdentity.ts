/** Which key a key URI asks for. Pure. */

/** Its `kid`, in lower case, or else its path: the same key has the same one in every region. `target` begins with its path. */
export function keyIdentity(target: string): string {
  const [path = "", query = ""] = target.split("?", 2);
  const kid = /(?:^|&)kid=([^&#]+)/i.exec(query)?.[1];
  return (kid ?? path).toLowerCase();
}
