// What a viewer sees: whether time goes on, and whether new pictures are shown.

const EVERY_MS = 100;
const FROZEN_MS = 300;

/**
 * @typedef {import("./types.d.ts").Sample} Sample
 * @typedef {import("./types.d.ts").Frozen} Frozen
 * @typedef {import("./types.d.ts").PlayerError} PlayerError
 */

/** Epoch milliseconds that never jump. */
const now = () => performance.timeOrigin + performance.now();

export class Recorder {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    /** @type {Sample[]} */
    this.samples = [];
    /** @type {Frozen[]} */
    this.frozen = [];
    /** @type {PlayerError[]} */
    this.errors = [];
    this.askedAt = now();
    /** @type {number | null} */
    this.startedAt = null;
    /** @type {number | null} */
    this.pictureAt = null;
    setInterval(() => this.sample(), EVERY_MS);
    this.awaitPicture();
  }

  sample() {
    const { video } = this;
    this.samples.push({ at: now(), position: video.currentTime, ahead: this.ahead(), ended: video.ended });
  }

  /** Seconds; small gaps count as one buffered range, as players jump over them. */
  ahead() {
    const { buffered, currentTime } = this.video;
    let end = currentTime;
    for (let at = 0; at < buffered.length; at += 1) if (buffered.start(at) <= end + 0.3) end = Math.max(end, buffered.end(at));
    return end - currentTime;
  }

  awaitPicture() {
    this.video.requestVideoFrameCallback(() => {
      const at = now();
      if (this.pictureAt !== null) {
        this.startedAt ??= this.pictureAt;
        if (at - this.pictureAt > FROZEN_MS) this.frozen.push({ from: this.pictureAt, to: at });
      }
      this.pictureAt = at;
      this.awaitPicture();
    });
  }

  /**
   * @param {string} text
   * @param {boolean} fatal
   */
  report(text, fatal) {
    this.errors.push({ at: now(), text, fatal });
  }

  /** @returns {import("./types.d.ts").Recording} */
  recording() {
    const { samples, errors, askedAt, startedAt, pictureAt } = this;
    const still = pictureAt !== null && now() - pictureAt > FROZEN_MS ? [{ from: pictureAt, to: now() }] : [];
    return { samples, frozen: [...this.frozen, ...still], errors, askedAt, startedAt };
  }
}
