/** When a service wants to be asked again. Pure. */

/**
 * Milliseconds by Retry-After (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after), or by the services' own fields in milliseconds; null
 * where it does not say. `now` is epoch milliseconds.
 */
export function retryAfterMs(headers: { get(name: string): string | undefined }, now: number): number | null {
  for (const name of ["x-ms-retry-after-ms", "retry-after-ms"]) {
    const ms = Number.parseFloat(headers.get(name) ?? "");
    if (ms >= 0) return ms;
  }
  const value = headers.get("retry-after") ?? "";
  if (/^\d+$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
