/** An origin in a process of its own that costs as little as node can: a playlist for manifests, else 16 bytes for GET, 2 KB for POST, 200 for anything. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const KEY = Buffer.alloc(16, "k");
const LICENCE = Buffer.alloc(2_048, "l");
const KEY_FIELDS = ["content-type", "application/octet-stream", "content-length", String(KEY.length)];
const LICENCE_FIELDS = ["content-type", "application/octet-stream", "content-length", String(LICENCE.length)];

/** Six variants and a rendition of sound, in the words of a media account. */
const PLAYLIST = Buffer.from(
  [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio 128k",DEFAULT=YES,URI="QualityLevels(128000)/Manifest(audio,format=m3u8-cmaf)"',
    ...[180, 360, 720, 1_500, 3_000, 6_000].flatMap((kbits) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${kbits}000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"`,
      `QualityLevels(${kbits}000)/Manifest(video,format=m3u8-cmaf)`,
    ]),
    "",
  ].join("\n"),
);
const PLAYLIST_FIELDS = ["content-type", "application/vnd.apple.mpegurl", "content-length", String(PLAYLIST.length)];

const server = createServer({ keepAliveTimeout: 120_000, optimizeEmptyRequests: true }, (incoming, outgoing) => {
  if (incoming.url?.includes("/manifest(") === true) {
    outgoing.writeHead(200, PLAYLIST_FIELDS).end(PLAYLIST);
    return;
  }
  if (incoming.method !== "POST") {
    outgoing.writeHead(200, KEY_FIELDS).end(KEY);
    return;
  }
  incoming.resume().on("end", () => {
    outgoing.writeHead(200, LICENCE_FIELDS).end(LICENCE);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
