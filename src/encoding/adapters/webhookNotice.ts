/** Posts what became of jobs to somebody's address. */
import { request } from "undici";
import { PaircastError } from "../../core/errors.ts";
import type { WrittenNotice } from "../notice.ts";

export interface NoticeAddress {
  readonly url: string;
  readonly secret: string;
}

const SECRET_HEADER = "x-paircast-events-key";

/** Resolves when the address has answered 2xx; rejects with `notice_refused` (retry) otherwise. The body's `id` is the same each time. */
export async function postNotice({ url, secret }: NoticeAddress, { contentType, text }: WrittenNotice, signal: AbortSignal): Promise<void> {
  const { host } = new URL(url);
  const headers = { "content-type": contentType, [SECRET_HEADER]: secret };
  const answer = await request(url, { method: "POST", headers, body: text, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new PaircastError("notice_refused", `tell ${host} of a job: it cannot be reached`, { retry: "retry", cause });
  });
  await answer.body.dump();
  if (answer.statusCode >= 300)
    throw new PaircastError("notice_refused", `tell ${host} of a job: it answered ${answer.statusCode}`, { retry: "retry" });
}
