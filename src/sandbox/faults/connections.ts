/** The open connections of a server, and what can be done to them from outside: close, reset, let fall silent. */
import type { Socket } from "node:net";

export class Connections {
  readonly #sockets = new Set<Socket>();
  /** What HTTP is spoken on: the TCP socket itself, or TLS over it. */
  readonly #speaking = new Set<Socket>();
  /** Never to be answered: a client of theirs waits until it gives up, or until the fault is over. */
  readonly #held = new Set<Socket>();
  #silent = false;

  /** Takes a connection into account from accept to close. */
  accept(socket: Socket): void {
    this.#sockets.add(socket);
    // Resets by clients are daily business here.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#held.delete(socket);
    });
  }

  /** `socket` carries HTTP from now on. */
  speak(socket: Socket): void {
    this.#speaking.add(socket);
    socket.once("close", () => {
      this.#speaking.delete(socket);
      this.#held.delete(socket);
    });
    if (this.#silent) hush(socket);
  }

  /** Leaves the client of `socket` without an answer until `release`, which closes it. */
  hold(socket: Socket): void {
    if (!socket.destroyed) this.#held.add(socket);
  }

  /** Nothing is written any more: answers in flight stop where they are. */
  silenceAll(): void {
    this.#silent = true;
    for (const socket of this.#speaking) hush(socket);
  }

  /** The answer in flight on `socket` stops where it is, until `release` closes it. */
  silence(socket: Socket): void {
    hush(socket);
    this.hold(socket);
  }

  /** Ends the silence. Answers in flight go on, as after a lost route that came back; what was held is closed. */
  release(): void {
    for (const socket of this.#held) socket.destroy();
    if (this.#silent) for (const socket of this.#speaking) unhush(socket);
    this.#silent = false;
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Closes with RST, which a client sees as ECONNRESET. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** Corked for good: at the end of an answer Node's HTTP server uncorks by itself. */
function hush(socket: Socket): void {
  socket.cork();
  socket.uncork = () => undefined;
}

function unhush(socket: Socket): void {
  Reflect.deleteProperty(socket, "uncork");
  while (socket.writableCorked > 0) socket.uncork();
}
