/** An answer of the server, parsed. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What went otherwise than the demo says; its message is for the person at the terminal. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

export type Send = (method: string, path: string, options?: SendOptions) => Promise<Answer>;

interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Requests to one server. @throws DemoError when nothing answers there */
export function connectTo(baseUrl: string): Send {
  return async (method, path, { body, headers = {} } = {}) => {
    const init: RequestInit = { method, headers: { "content-type": "application/json", ...headers } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(new URL(path, baseUrl), init).catch(() => {
      throw new DemoError(`No server answers at ${baseUrl}. Start one with: npm start`);
    });
    const text = await response.text();
    try {
      return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
    } catch {
      throw new DemoError(
        `${baseUrl} is no wallet-session server: ${path} answered ${response.status}, not JSON.`,
      );
    }
  };
}

/** A member of an answer that must be text. */
export function text({ body }: Answer, name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw new DemoError(`The answer has no ${name}: ${JSON.stringify(body)}`);
  return value;
}
