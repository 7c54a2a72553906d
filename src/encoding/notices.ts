/** Tells all who are to be told. One who does not listen keeps nobody else from hearing, and nobody from hearing once only. */
import { LRUCache } from "lru-cache";
import { written, type EncodingNotice, type NoticeFormat, type WrittenNotice } from "./notice.ts";

export interface NoticeChannel {
  /** Another one for each channel. */
  readonly name: string;
  /** Rejects where it is not known whether the notice was taken. */
  readonly post: (notice: WrittenNotice, signal: AbortSignal) => Promise<void>;
}

/** Notices that this process has handed over; another one may tell the same again. */
const REMEMBERED = 20_000;

export class Notices {
  readonly #channels: readonly NoticeChannel[];
  readonly #format: NoticeFormat;
  readonly #told = new LRUCache<string, true>({ max: REMEMBERED });

  constructor(channels: readonly NoticeChannel[], format: NoticeFormat) {
    this.#channels = channels;
    this.#format = format;
  }

  /** Rejects with the first reason once all have been tried; those who have heard it are not told again. */
  readonly tell = async (notice: EncodingNotice, signal: AbortSignal): Promise<void> => {
    const text = written(notice, this.#format);
    const results = await Promise.allSettled(
      this.#channels.map(async ({ name, post }) => {
        const key = `${name} ${notice.id}`;
        if (this.#told.has(key)) return;
        await post(text, signal);
        this.#told.set(key, true);
      }),
    );
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  };
}
