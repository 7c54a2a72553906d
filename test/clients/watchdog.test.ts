import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchdog, watchdogStart, watchdogStep } from "../../clients/watchdog.js";

type Options = NonNullable<Parameters<typeof watchdogStep>[2]>;
type Look = Parameters<typeof watchdogStep>[1];

/** A media element and a clock, looked at every 200 ms. */
class Stage {
  readonly reloads: { readonly at: number; readonly position: number }[] = [];
  readonly options: Options;
  now = 0;
  time = 0;
  state = watchdogStart(0);

  constructor(options: Options = {}) {
    this.options = options;
  }

  /** For so many seconds; `rate` 0 stands still. */
  run(seconds: number, rate: number, look: Partial<Look> = {}): this {
    for (let step = 0; step < seconds * 5; step++) {
      this.now += 200;
      this.time += 0.2 * rate;
      const full = { now: this.now, time: this.time, idle: false, empty: false, broken: false, ...look };
      const { state, reload } = watchdogStep(this.state, full, this.options);
      this.state = state;
      if (reload) this.reloads.push({ at: this.now, position: state.position });
    }
    return this;
  }

  seek(seconds: number): this {
    this.time = seconds;
    return this;
  }
}

describe("watchdogStep", () => {
  it("reloads at the old position when the picture has stood still for 3 s", () => {
    const stage = new Stage().run(5, 1).run(3.2, 0);
    expect(stage.reloads).toEqual([{ at: 8000, position: expect.closeTo(5) }]);
  });

  it("lets a pause and the end be, and counts anew afterwards", () => {
    expect(new Stage().run(5, 1).run(60, 0, { idle: true }).run(2.6, 0).reloads).toEqual([]);
  });

  it("lets a pause be while the player comes back from a reload", () => {
    expect(new Stage().run(5, 1).run(3.2, 0).run(60, 0, { idle: true }).reloads).toHaveLength(1);
  });

  it("lets a start take its time, unless told otherwise", () => {
    expect(new Stage().run(60, 0).reloads).toEqual([]);
    expect(new Stage({ startMs: 3000 }).run(3.2, 0).reloads).toEqual([{ at: 3000, position: 0 }]);
  });

  it("gives a seek the longer patience, and reloads where the viewer wanted to be", () => {
    const stage = new Stage().run(5, 1).seek(40).run(10, 0);
    expect(stage.reloads).toEqual([]);
    expect(stage.run(0.4, 0).reloads).toEqual([{ at: 15_200, position: 40 }]);
  });

  it("keeps the position while a reloaded player is empty and finds its way back", () => {
    const stage = new Stage().run(20, 1).run(3.2, 0);
    stage.seek(0).run(2, 0, { empty: true, idle: true }).run(9, 0);
    expect(stage.reloads.map(({ position }) => Math.round(position))).toEqual([20, 20]);
  });

  it("waits twice as long for each reload that brings no picture, and gives up in the end", () => {
    const stage = new Stage({ maxReloads: 4, longestMs: 30_000 }).run(5, 1).run(600, 0);
    const waits = stage.reloads.map(({ at }, index) => at - (stage.reloads[index - 1]?.at ?? 5000));
    expect(waits).toEqual([3000, 10_000, 20_000, 30_000]);
  });

  it("starts from the shortest wait again after 10 s of picture, not after a moment of it", () => {
    const flicker = new Stage().run(5, 1).run(3.2, 0).run(1, 1).run(4, 0);
    expect(flicker.reloads).toHaveLength(1);
    const settled = new Stage().run(5, 1).run(3.2, 0).run(11, 1).run(3.2, 0);
    expect(settled.reloads).toHaveLength(2);
  });

  it("does not wait 3 s after a fatal error, but plays what is buffered", () => {
    const stage = new Stage().run(5, 1).run(4, 1, { broken: true });
    expect(stage.reloads).toEqual([]);
    expect(stage.run(0.6, 0, { broken: true }).reloads).toEqual([{ at: 9400, position: expect.closeTo(9) }]);
  });

  it("reloads after a fatal error at the start too", () => {
    expect(new Stage().run(0.6, 0, { broken: true }).reloads).toHaveLength(1);
  });

  it("takes slow and fast playback for movement", () => {
    expect(new Stage().run(30, 0.25).run(30, 4).reloads).toEqual([]);
  });
});

describe("watchdog", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const media = () => ({ currentTime: 0, paused: false, ended: false, readyState: 4 });

  async function play(element: ReturnType<typeof media>, seconds: number, rate: number): Promise<void> {
    for (let step = 0; step < seconds * 5; step++) {
      element.currentTime += 0.2 * rate;
      await vi.advanceTimersByTimeAsync(200);
    }
  }

  it("looks at the element until it is stopped, whatever becomes of a reload", async () => {
    const element = media();
    const reload = vi.fn(() => Promise.reject(new Error("the gateway is away")));
    const { stop } = watchdog(element, reload);
    await play(element, 5, 1);
    await play(element, 3.2, 0);
    expect(reload).toHaveBeenCalledExactlyOnceWith(expect.closeTo(5));
    stop();
    await play(element, 60, 0);
    expect(reload).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hears of a fatal error, once for each reload; a viewer who has paused is not made to watch", async () => {
    const element = media();
    const reload = vi.fn();
    const { broken, stop } = watchdog(element, reload);
    await play(element, 5, 1);
    element.paused = true;
    broken();
    await play(element, 60, 0);
    expect(reload).not.toHaveBeenCalled();
    element.paused = false;
    await play(element, 0.6, 0);
    expect(reload).toHaveBeenCalledTimes(1);
    await play(element, 5, 0);
    expect(reload).toHaveBeenCalledTimes(1);
    stop();
  });
});
