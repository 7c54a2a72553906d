/**
 * Makes the sandbox's sample video, as an Azure encoder would leave it in an asset's container: one fragmented MP4 file with a global
 * `sidx` per rendition, the server manifest (`.ism`), the Smooth client manifest (`.ismc`), and `files.json`, which gives each file its
 * content type for the publisher.
 *
 * Run, on Debian:  apt-get install -y ffmpeg && node scripts/make-sample.ts
 * It writes to `sample/`, whose files are kept in the repository; run it again only to change the picture.
 *
 * The picture shows the word paircast, the time, the rendition's size and a moving square. The strip at the bottom is the second in
 * binary, seven cells, the most significant on the left, white for one: a test reads the position from the pixels.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readTrack } from "../src/sandbox/encoding/encodedTrack.ts";
import { clientManifest, serverManifest, type EncodedTrack } from "../src/sandbox/encoding/manifests.ts";

const NAME = "paircast-sample";
const OUT = join(import.meta.dirname, "..", "sample");
const SECONDS = 64;
const FRAMES_PER_SECOND = 25;
const FRAGMENT_SECONDS = 2;
const VIDEO = [
  { width: 640, height: 360, kilobits: 230, fontSize: 18 },
  { width: 426, height: 240, kilobits: 110, fontSize: 14 },
  { width: 256, height: 144, kilobits: 55, fontSize: 12 },
] as const;
const AUDIO_KILOBITS = 48;
const AUDIO_FILE = `${NAME}_audio.mp4`;
const LIMIT_BYTES = 4_000_000;

const FONT = "font='DejaVu Sans Mono\\:bold':fontcolor=white";
const FRAGMENTED = "+cmaf+global_sidx+skip_trailer";
/** No date, no encoder name: the same ffmpeg makes the same bytes. */
const REPEATABLE = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-threads", "1"];

function videoFile({ width, height }: (typeof VIDEO)[number]): string {
  return `${NAME}_${width}x${height}.mp4`;
}

/** Seven cells of 80 pixels; each is black, and white while its bit of the second is set. */
function binarySeconds(): string {
  return Array.from({ length: 7 }, (_, cell) => {
    const box = `drawbox=x=${40 + cell * 80}:y=310:w=80:h=40:t=fill`;
    return `${box}:color=black,${box}:color=white:enable='gte(mod(floor(t/${2 ** (6 - cell)}),2),1)'`;
  }).join(",");
}

function filterGraph(): string {
  const picture =
    "[0:v][1:v]overlay=x='306+300*sin(t*0.9)':y='228+18*cos(t*1.8)':eval=frame," +
    `drawtext=${FONT}:text=paircast:fontsize=64:x=(w-tw)/2:y=40,drawtext=${FONT}:text='%{pts\\:hms}':fontsize=44:x=(w-tw)/2:y=140`;
  const split = `split=${VIDEO.length}${VIDEO.map((_, at) => `[s${at}]`).join("")}`;
  const scaled = VIDEO.map(
    ({ width, height, fontSize }, at) =>
      `[s${at}]scale=${width}:${height},setsar=1,drawtext=${FONT}:text=${width}x${height}:fontsize=${fontSize}:x=8:y=8[v${at}]`,
  );
  return [`${picture},${binarySeconds()},${split}`, ...scaled].join(";");
}

function videoOutput(entry: (typeof VIDEO)[number], at: number): string[] {
  const keyframes = String(FRAMES_PER_SECOND * FRAGMENT_SECONDS);
  const rate = ["-b:v", `${entry.kilobits}k`, "-maxrate", `${Math.round(entry.kilobits * 1.2)}k`, "-bufsize", `${entry.kilobits * 2}k`];
  const gop = ["-g", keyframes, "-keyint_min", keyframes, "-sc_threshold", "0", "-bf", "0"];
  const codec = ["-c:v", "libx264", "-profile:v", "main", "-preset", "slow", "-pix_fmt", "yuv420p"];
  return [
    "-map",
    `[v${at}]`,
    ...codec,
    ...gop,
    ...rate,
    ...REPEATABLE,
    "-movflags",
    `${FRAGMENTED}+frag_keyframe`,
    join(OUT, videoFile(entry)),
  ];
}

function audioOutput(): string[] {
  // The encoder's 1024 samples of delay are left in, so that the track starts at 0 and needs no edit list.
  const codec = ["-af", "volume=0.25", "-c:a", "aac", "-b:a", `${AUDIO_KILOBITS}k`, "-ac", "2", "-bsf:a", "setts=ts=TS+1024"];
  const fragments = ["-frag_duration", String(FRAGMENT_SECONDS * 1_000_000), "-movflags", FRAGMENTED];
  return ["-map", "2:a", ...codec, ...REPEATABLE, "-metadata:s:a", "language=eng", ...fragments, join(OUT, AUDIO_FILE)];
}

function encode(): void {
  const inputs = [
    `gradients=size=640x360:rate=${FRAMES_PER_SECOND}:duration=${SECONDS}:c0=0x10243f:c1=0x2b5d7c:c2=0x123a2f:n=3:speed=0.01:seed=7`,
    `color=c=0xf2b134:size=28x28:rate=${FRAMES_PER_SECOND}:duration=${SECONDS}`,
    `sine=frequency=220:beep_factor=4:sample_rate=48000:duration=${SECONDS}`,
  ].flatMap((source) => ["-f", "lavfi", "-i", source]);
  const outputs = [...VIDEO.flatMap(videoOutput), ...audioOutput()];
  const args = ["-hide_banner", "-loglevel", "warning", "-y", ...inputs, "-filter_complex", filterGraph(), ...outputs];
  execFileSync("ffmpeg", args, { stdio: "inherit" });
}

function track(kind: EncodedTrack["kind"], file: string): EncodedTrack {
  return readTrack(kind, file, kind === "audio" ? "en" : "und", new Uint8Array(readFileSync(join(OUT, file))));
}

function write(name: string, text: string): void {
  writeFileSync(join(OUT, name), text);
}

function main(): void {
  mkdirSync(OUT, { recursive: true });
  encode();
  const tracks = [...VIDEO.map((entry) => track("video", videoFile(entry))), track("audio", AUDIO_FILE)];
  write(`${NAME}.ism`, serverManifest(NAME, tracks));
  write(`${NAME}.ismc`, clientManifest(tracks));
  const contentTypes = {
    ...Object.fromEntries(tracks.map(({ kind, file }) => [file, `${kind}/mp4`])),
    [`${NAME}.ism`]: "application/smil+xml",
    [`${NAME}.ismc`]: "application/vnd.ms-sstr+xml",
  };
  write("files.json", `${JSON.stringify(contentTypes, null, 2)}\n`);
  const bytes = Object.keys(contentTypes).reduce((sum, name) => sum + readFileSync(join(OUT, name)).length, 0);
  if (bytes > LIMIT_BYTES) throw new Error(`the sample has ${bytes} bytes; the repository allows ${LIMIT_BYTES}: lower the bitrates`);
  process.stdout.write(`${tracks.length} tracks, ${bytes} bytes\n`);
}

main();
