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
    if (this.#silent) socket.cork();
  }

  /** Leaves the client of `socket` without an answer until `release`, which closes it. */
  hold(socket: Socket): void {
    if (!socket.destroyed) this.#held.add(socket);
  }

  /** Nothing is written any more: answers in flight stop where they are. */
  silence(): void {
    this.#silent = true;
    for (const socket of this.#speaking) socket.cork();
  }

  /** Ends the silence. Answers in flight go on, as after a lost route that came back; what was held is closed. */
  release(): void {
    for (const socket of this.#held) socket.destroy();
    if (this.#silent) for (const socket of this.#speaking) socket.uncork();
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
