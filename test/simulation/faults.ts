/** How a region fails, and what a request to it then comes to. Pure: times are milliseconds of one clock. */

/** Ways in which a region is lost: nothing listens, connections break, error statuses, silence, half of each body and then silence. */
export const LOSSES = ["refused", "reset", "503", "404", "black hole", "half body"] as const;
export type Loss = (typeof LOSSES)[number];

/** An outage: `until` is Infinity where nobody repairs it. */
export interface Outage {
  readonly loss: Loss;
  readonly from: number;
  readonly until: number;
}

/** A request as the network would carry it if all were well. */
export interface Journey {
  readonly began: number;
  /** From the question to the first byte. */
  readonly latency: number;
  /** From the first byte to the last. */
  readonly transfer: number;
  readonly bytes: number;
}

/** What becomes of a request; a time of Infinity never comes. */
export interface Course {
  readonly headersAt: number;
  /** The last byte that comes, and how many have come by then. */
  readonly lastByteAt: number;
  readonly bytes: number;
  /** The whole answer is there. */
  readonly completeAt: number;
  /** The connection breaks, or is not made. */
  readonly brokenAt: number;
  /** Set where the region answers with an error. */
  readonly status: 503 | 404 | null;
}

const NEVER = Number.POSITIVE_INFINITY;
/** A host that is there and has no listener answers at once. */
const REFUSAL_MS = 3;

export function isOut(outage: Outage | null, at: number): boolean {
  return outage !== null && at >= outage.from && at < outage.until;
}

/** The region decides when the question arrives; what is under way then breaks or falls silent with it. */
export function courseOf(journey: Journey, outage: Outage | null): Course {
  const { began, latency, transfer, bytes } = journey;
  const headersAt = began + latency;
  const well = { headersAt, lastByteAt: headersAt + transfer, bytes, completeAt: headersAt + transfer, brokenAt: NEVER, status: null };
  const arrival = began + latency / 2;
  if (outage !== null && isOut(outage, arrival)) return lost(outage.loss, journey);
  if (outage === null || outage.from <= arrival || outage.from >= well.completeAt) return well;
  return cut(well, outage);
}

function lost(loss: Loss, { began, latency, transfer, bytes }: Journey): Course {
  const headersAt = began + latency;
  const silent = { headersAt: NEVER, lastByteAt: NEVER, bytes: 0, completeAt: NEVER, brokenAt: NEVER, status: null };
  switch (loss) {
    case "refused":
      return { ...silent, brokenAt: began + REFUSAL_MS };
    case "reset":
      return { ...silent, brokenAt: headersAt };
    case "black hole":
      return silent;
    case "half body":
      return { ...silent, headersAt, lastByteAt: headersAt + transfer / 2, bytes: bytes / 2 };
    case "503":
    case "404":
      return { ...silent, headersAt, lastByteAt: headersAt, completeAt: headersAt, status: loss === "503" ? 503 : 404 };
  }
}

/** Answers that have begun are finished by a region that only answers otherwise now. */
function cut(course: Course, { loss, from }: Outage): Course {
  if (loss === "refused" || loss === "reset") return { ...course, completeAt: NEVER, lastByteAt: from, brokenAt: from };
  if (loss !== "black hole") return course;
  const headersAt = course.headersAt > from ? NEVER : course.headersAt;
  if (headersAt === NEVER) return { ...course, headersAt, lastByteAt: NEVER, bytes: 0, completeAt: NEVER };
  const share = (from - headersAt) / (course.completeAt - headersAt);
  return { ...course, lastByteAt: from, bytes: course.bytes * share, completeAt: NEVER };
}

/** How long a player waits; Infinity: for ever. */
export interface Patience {
  /** From the question to the first byte. */
  readonly firstByteMs: number;
  /** From the question to the last byte. */
  readonly totalMs: number;
  /** Between bytes. */
  readonly silenceMs: number;
  /** Bytes before which it takes no notice that an answer has begun; left out: one. */
  readonly noticedBytes?: number;
}

export type Ending = { readonly at: number; readonly how: "complete" | "broken" | "timeout" };

/** The first thing that ends the request for somebody with this patience, who began to wait at `since`. */
export function endingOf(course: Course, patience: Patience, since: number): Ending {
  const beganAt = course.bytes < (patience.noticedBytes ?? 0) ? course.completeAt : course.headersAt;
  const impatience = Math.min(
    beganAt > since + patience.firstByteMs ? since + patience.firstByteMs : NEVER,
    since + patience.totalMs,
    course.completeAt === NEVER && beganAt !== NEVER ? course.lastByteAt + patience.silenceMs : NEVER,
  );
  if (course.brokenAt <= impatience && course.brokenAt < course.completeAt) return { at: course.brokenAt, how: "broken" };
  return course.completeAt <= impatience && course.completeAt !== NEVER
    ? { at: course.completeAt, how: "complete" }
    : { at: impatience, how: "timeout" };
}
