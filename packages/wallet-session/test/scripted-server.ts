import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { cookieNames } from "../src/cookie-names.ts";

const COOKIES = cookieNames("ws");

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface SeenRequest {
  /** "METHOD /path" */
  readonly call: string;
  readonly cookies: string;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

/** A real HTTP server that answers as it is told, to have the faults that ours does not make on demand. */
export class ScriptedServer {
  readonly #script = new Map<string, Handler[]>();
  readonly #seen: SeenRequest[] = [];
  readonly #server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const call = `${request.method} ${new URL(request.url ?? "/", "http://x").pathname}`;
    this.#seen.push({ call, cookies: request.headers.cookie ?? "", body, headers: request.headers });
    const answers = this.#script.get(call) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined) response.writeHead(418).end();
    else answer(request, response);
  });

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Answers for "METHOD /path", taken in order; the last one stays. */
  answers(call: string, ...handlers: Handler[]): void {
    this.#script.set(call, handlers);
  }

  /** What has arrived, in order: all of it, or one "METHOD /path". */
  calls(call?: string): SeenRequest[] {
    return this.#seen.filter((request) => call === undefined || request.call === call);
  }
}

export const json =
  (body: object, headers: Record<string, string | string[]> = {}, status = 200): Handler =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };

export const problem =
  (status: number, code: string, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response
      .writeHead(status, { "content-type": "application/problem+json", ...headers })
      .end(JSON.stringify({ type: "about:blank", title: code, status, detail: code, code, error: code }));
  };

/** A sign-in or refresh that went well. */
export const tokens = (sessionId = "s1", expiresIn = 900): Handler =>
  json(
    { token_type: "Bearer", expires_in: expiresIn, refresh_expires_in: 9_000, session_id: sessionId },
    { "set-cookie": [`${COOKIES.retry}=; Path=/; Max-Age=0`, `${COOKIES.refresh}=next; HttpOnly`] },
  );

/** A stranger's 401. */
export const portal: Handler = (_, response) => {
  response.writeHead(401, { "content-type": "text/html" }).end("<h1>Log in to the hotel's network</h1>");
};

export const cut: Handler = (_, response) => {
  response.socket?.destroy();
};
