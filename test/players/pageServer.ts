/** Serves the pages, the players from node_modules and the client kit. On loopback, which browsers take for secure: Shaka decrypts nowhere else. */
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { extname } from "node:path";

const ROOT = new URL("../../", import.meta.url);

/** Scripts that set a global, as a module. */
const wrapper = (script: string, name: string): string => `import "/node_modules/${script}";\nexport default window.${name};\n`;

const WRITTEN: Readonly<Record<string, string>> = {
  "/lib/shaka.js": wrapper("shaka-player/dist/shaka-player.compiled.js", "shaka"),
  "/lib/video.js": wrapper("video.js/dist/video.min.js", "videojs"),
};

const FILES: Readonly<Record<string, string>> = {
  "/": "test/players/page/index.html",
  "/lib/hls.mjs": "node_modules/hls.js/dist/hls.min.mjs",
  "/lib/dash.js": "node_modules/dashjs/dist/modern/esm/dash.all.min.js",
};

const FOLDERS: Readonly<Record<string, string>> = {
  "/page/": "test/players/page/",
  "/clients/": "clients/",
  "/node_modules/": "node_modules/",
};

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html; charset=utf-8", ".css": "text/css" };

export interface PageServer extends AsyncDisposable {
  /** URL of the page, with a slash at its end. */
  readonly url: string;
}

export async function servePages(): Promise<PageServer> {
  const server = createServer((req, res) => {
    void answer(new URL(req.url ?? "/", "http://page").pathname, res);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(path: string, res: ServerResponse): Promise<void> {
  try {
    const body = WRITTEN[path] ?? (await readFile(fileOf(path)));
    res.writeHead(200, { "content-type": TYPES[path === "/" ? ".html" : extname(path)] ?? "text/javascript" }).end(body);
  } catch {
    res.writeHead(404).end();
  }
}

function fileOf(path: string): URL {
  const [prefix, folder] = Object.entries(FOLDERS).find(([each]) => path.startsWith(each)) ?? ["", ""];
  const file = FILES[path] ?? (folder === "" ? null : `${folder}${path.slice(prefix.length)}`);
  if (file === null) throw new Error(`no file for ${path}`);
  return new URL(file, ROOT);
}
