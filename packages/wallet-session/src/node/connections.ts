import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * The connections of a server, and what is being answered on each. Node's own `closeIdleConnections` takes one for idle whose
 * answer was ended but is still on its way to a slow reader, and does not take one for idle on which nothing has come yet.
 */
export class Connections {
  readonly #answers = new Map<Socket, Set<ServerResponse>>();
  #draining = false;

  constructor(server: Server) {
    server.on("connection", (socket: Socket) => {
      this.#answers.set(socket, new Set());
      socket.once("close", () => this.#answers.delete(socket));
    });
    server.prependListener("request", ({ socket }: IncomingMessage, answer: ServerResponse) => {
      this.#answers.get(socket)?.add(answer);
      if (this.#draining) answer.shouldKeepAlive = false;
      // Whether it is out, or its reader is gone.
      answer.once("close", () => {
        this.#answers.get(socket)?.delete(answer);
        if (this.#draining) this.#endIdle(socket);
      });
    });
  }

  /** Ends those on which nothing is being answered, and from now on each as soon as that is so. */
  drain(): void {
    this.#draining = true;
    for (const [socket, answers] of this.#answers) {
      // An answer whose head is not out yet can still tell its client.
      for (const answer of answers) answer.shouldKeepAlive = false;
      this.#endIdle(socket);
    }
  }

  /** Cuts off all. */
  destroy(): void {
    for (const socket of this.#answers.keys()) socket.destroy();
  }

  #endIdle(socket: Socket): void {
    if (this.#answers.get(socket)?.size === 0) socket.destroySoon();
  }
}
