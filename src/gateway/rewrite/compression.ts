/** Manifests for those who take gzip, as every browser does: a steered one has an eighth of the bytes then. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { parseAccept } from "hono/utils/accept";
import type { Answer } from "../respond.ts";

const compress = promisify(gzip);

/** Shorter texts go out in one packet either way. */
const LEAST_LENGTH = 1_000;
/** Different Accept-Encoding fields that are remembered; players send a handful. */
const MOST_FIELDS = 100;

export class Compression {
  readonly #accepting = new Map<string, boolean>();
  /** By text: those who ask at the same time get the same. */
  readonly #underWay = new Map<string, Promise<Buffer>>();

  /** Whether a client with this Accept-Encoding field takes gzip (RFC 9110, 12.5.3). Without a field nothing but the text itself is sent. */
  accepts(field: string | undefined): boolean {
    if (field === undefined) return false;
    const known = this.#accepting.get(field);
    if (known !== undefined) return known;
    const accepting = takesGzip(field);
    if (this.#accepting.size >= MOST_FIELDS) this.#accepting.clear();
    this.#accepting.set(field, accepting);
    return accepting;
  }

  /** The same answer in gzip; null where it is not worth it. In a thread: a long playlist would hold up everybody else for milliseconds. */
  async compressed(answer: Answer): Promise<Answer | null> {
    const { headers, body } = answer;
    if (!isWorthIt(answer) || typeof body !== "string") return null;
    const underWay = this.#underWay.get(body) ?? this.#begun(body);
    const bytes = await underWay;
    return { ...answer, headers: { ...headers, "content-encoding": "gzip", "content-length": String(bytes.length) }, body: bytes };
  }

  async #begun(text: string): Promise<Buffer> {
    const bytes = compress(text).finally(() => this.#underWay.delete(text));
    this.#underWay.set(text, bytes);
    return bytes;
  }
}

/** Whether it is sent in another form to those who take gzip. */
export function isWorthIt({ status, body }: Answer): boolean {
  return status === 200 && typeof body === "string" && body.length >= LEAST_LENGTH;
}

function takesGzip(field: string): boolean {
  const codings = parseAccept(field.toLowerCase());
  const coding = codings.find(({ type }) => type === "gzip" || type === "x-gzip") ?? codings.find(({ type }) => type === "*");
  return coding !== undefined && coding.q > 0;
}
