import Hls from "hls.js";
import { demoteOnTimeout, hlsConfig } from "../../../clients/hlsjs.js";
import { reloadHlsjs } from "../../../clients/reload.js";
import { watchdog } from "../../../clients/watchdog.js";
import { authorized } from "./keys.js";

/** @type {import("./types.d.ts").StartPlayer} */
export async function start(video, { url, token, buffer, live, kit }, report) {
  const hls = new Hls({
    ...(kit ? hlsConfig({ bufferSeconds: buffer, live }) : {}),
    maxBufferLength: buffer,
    maxMaxBufferLength: buffer,
    // By default 60 MB are filled whatever the length, and hide every failure.
    maxBufferSize: 0,
    xhrSetup: (xhr, target) => {
      for (const [name, value] of authorized(target, token)) xhr.setRequestHeader(name, value);
    },
  });
  if (kit) demoteOnTimeout(hls);
  const watch = kit ? watchdog(video, reloadHlsjs(hls, url)) : null;
  hls.on(Hls.Events.ERROR, (_, { fatal, details, response, error }) => {
    report(`${details} ${response?.code ?? ""} ${error.message}`, fatal);
    if (fatal) watch?.broken();
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => void video.play());
  hls.loadSource(url);
  hls.attachMedia(video);
}
