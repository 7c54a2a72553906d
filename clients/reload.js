// What the watchdog does, per player: the URL loaded again, at the old position; a live stream at its edge.

/**
 * @typedef {{play: () => unknown}} Playable
 */

/**
 * @param {{config: {startPosition: number}, latestLevelDetails: {live: boolean} | null, loadSource: (url: string) => void, media: Playable | null}} hls
 * @param {string} url of the gateway
 */
export function reloadHlsjs(hls, url) {
  return (/** @type {number} */ position) => {
    hls.config.startPosition = hls.latestLevelDetails?.live === true ? -1 : position;
    hls.loadSource(url);
    return hls.media?.play();
  };
}

/**
 * @param {{load: (url: string, position?: number) => Promise<void>, isLive: () => boolean, getMediaElement: () => Playable | null}} player
 * @param {string} url of the gateway
 */
export function reloadShaka(player, url) {
  return async (/** @type {number} */ position) => {
    await (player.isLive() ? player.load(url) : player.load(url, position));
    return player.getMediaElement()?.play();
  };
}

/**
 * @param {{attachSource: (url: string, position?: number) => void, isDynamic: () => boolean, play: () => void}} player
 * @param {string} url of the gateway
 */
export function reloadDashjs(player, url) {
  return (/** @type {number} */ position) => {
    if (player.isDynamic()) player.attachSource(url);
    else player.attachSource(url, position);
    player.play();
  };
}

/**
 * @param {{src: (source: {src: string, type: string}) => void, currentSource: () => object, duration: () => number | undefined, one: (event: string, listener: () => void) => void, currentTime: (seconds: number) => void, play: () => unknown}} player
 * @param {string} url of the gateway
 */
export function reloadVideojs(player, url) {
  return (/** @type {number} */ position) => {
    const live = player.duration() === Infinity;
    const { type = "application/x-mpegURL" } = /** @type {{type?: string}} */ (player.currentSource());
    player.one("loadedmetadata", () => {
      if (!live) player.currentTime(position);
    });
    player.src({ src: url, type });
    return player.play();
  };
}

/**
 * HLS in the browser itself, as in Safari.
 * @param {Playable & {src: string, currentTime: number, readonly duration: number, load: () => void, addEventListener: (event: "loadedmetadata", listener: () => void, options: {once: boolean}) => void}} media
 * @param {string} url of the gateway
 */
export function reloadNative(media, url) {
  return (/** @type {number} */ position) => {
    const live = media.duration === Infinity;
    media.src = url;
    media.addEventListener(
      "loadedmetadata",
      () => {
        if (!live) media.currentTime = position;
      },
      { once: true },
    );
    media.load();
    return media.play();
  };
}
