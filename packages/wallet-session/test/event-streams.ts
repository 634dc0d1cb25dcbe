import type { IncomingMessage, ServerResponse } from "node:http";
import type { Handler } from "./scripted-server.ts";

/** Event streams of a scripted server: held open, and written to by hand. */
export class EventStreams {
  readonly opened: { readonly lastEventId: string | undefined; readonly response: ServerResponse }[] = [];

  readonly handler: Handler = (request: IncomingMessage, response: ServerResponse) => {
    const lastEventId = request.headers["last-event-id"];
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    this.opened.push({ lastEventId: typeof lastEventId === "string" ? lastEventId : undefined, response });
  };

  /** Those that nobody has left. */
  open(): ServerResponse[] {
    return this.opened
      .map(({ response }) => response)
      .filter(({ destroyed, writableEnded }) => !destroyed && !writableEnded);
  }

  /** To all who listen. */
  send(type: string, data: unknown, id?: string): void {
    this.write(`${id === undefined ? "" : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  write(text: string): void {
    for (const response of this.open()) response.write(text);
  }

  /** As a server does that stops. */
  close(): void {
    for (const response of this.open()) response.end();
  }

  /** As a network does that is gone. */
  cut(): void {
    for (const response of this.open()) response.destroy();
  }
}
