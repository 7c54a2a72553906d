/** Debian's Chromium, driven by playwright-core. No browser is downloaded. */
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { isExecutable } from "../../src/sandbox/encoding/programs.ts";

const LAUNCH_MS = 120_000;
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The Chromium of this machine: `CHROMIUM`, or the first of its usual names on the PATH; null where there is none. */
export function findChromium(): string | null {
  const given = process.env["CHROMIUM"];
  const paths =
    given === undefined
      ? (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
      : [given];
  return paths.find(isExecutable) ?? null;
}

export const HOW_TO_GET_CHROMIUM = "no Chromium here: install it (apt-get install chromium) or name it in CHROMIUM";

/** Headless, muted, starts videos by itself, and not slowed down while another page is in front. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: LAUNCH_MS,
    headless: true,
    chromiumSandbox: false,
    args: [
      "--autoplay-policy=no-user-gesture-required",
      "--mute-audio",
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
    ],
  });
}
