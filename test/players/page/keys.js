// The viewer's token goes to the gateway's key URL and nowhere else.

const KEY_PATH = "/keys/";

/**
 * @param {string} target
 * @param {string | null} token
 * @returns {[string, string][]} headers
 */
export function authorized(target, token) {
  return token !== null && new URL(target, location.href).pathname.startsWith(KEY_PATH) ? [["authorization", `Bearer ${token}`]] : [];
}
