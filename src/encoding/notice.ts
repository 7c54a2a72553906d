/** Pure: what others are told of a job, and how it is written down for them. */
import type { EncodingMessage } from "../core/encoding.ts";
import type { OutputPlayback } from "../core/ports/encodingService.ts";

/** What others are told. `playback`: URLs where the configuration says by which one players reach the gateway, else paths on it. */
export interface EncodingNotice extends EncodingMessage {
  readonly playback: readonly OutputPlayback[];
}

/** `plain`: the notice itself · `cloudevents`: as the data of a CloudEvent. Either way `id` is the same each time. */
export type NoticeFormat = "plain" | "cloudevents";

export interface WrittenNotice {
  readonly contentType: string;
  readonly text: string;
}

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
export function written(notice: EncodingNotice, format: NoticeFormat): WrittenNotice {
  if (format === "plain") return { contentType: "application/json", text: JSON.stringify(notice) };
  const event = {
    specversion: "1.0",
    id: notice.id,
    source: "/paircast/encoding",
    type: `paircast.encoding.${notice.kind}`,
    subject: notice.jobId,
    time: new Date(notice.at).toISOString(),
    datacontenttype: "application/json",
    data: notice,
  };
  return { contentType: "application/cloudevents+json; charset=utf-8", text: JSON.stringify(event) };
}
