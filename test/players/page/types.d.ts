/** What the pages and the program that drives them tell one another. */

export type PlayerName = "hls.js" | "shaka-hls" | "shaka-dash" | "dash.js" | "video.js";

export interface ViewerRequest {
  readonly player: PlayerName;
  /** The gateway's URL of the manifest. */
  readonly url: string;
  /** For keys; null where none is needed. */
  readonly token: string | null;
  /** Seconds of media that the player is to keep ahead. */
  readonly buffer: number;
  readonly live: boolean;
  /** With the client kit, or with the player's own settings. */
  readonly kit: boolean;
}

/** An error as the player tells the page. */
export interface PlayerError {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly text: string;
  /** The player says that it cannot go on. */
  readonly fatal: boolean;
}

/** One look at the video element. */
export interface Sample {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Seconds. */
  readonly position: number;
  /** Seconds of media ahead of the position. */
  readonly ahead: number;
  readonly ended: boolean;
}

/** A time in which no new picture was shown. */
export interface Frozen {
  readonly from: number;
  readonly to: number;
}

export interface Recording {
  readonly samples: readonly Sample[];
  readonly frozen: readonly Frozen[];
  readonly errors: readonly PlayerError[];
  /** Epoch milliseconds of the request to play. */
  readonly askedAt: number;
  /** Epoch milliseconds of the first picture that was followed by another; null: none yet. */
  readonly startedAt: number | null;
}

export interface Now {
  /** The newest; null before it was asked to play. */
  readonly sample: Sample | null;
  readonly startedAt: number | null;
  /** The player has said that it cannot go on. */
  readonly fatal: boolean;
}

/** What the page offers to the program. */
export interface Stage {
  play(request: ViewerRequest): Promise<void>;
  recording(): Recording;
  now(): Now;
}

/** An adapter starts one player on the element, and says what goes wrong. */
export type StartPlayer = (
  video: HTMLVideoElement,
  request: ViewerRequest,
  report: (text: string, fatal: boolean) => void,
) => Promise<void>;

declare global {
  interface Window {
    stage: Stage;
  }
}
