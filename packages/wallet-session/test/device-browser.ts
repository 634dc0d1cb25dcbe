import { createDeviceKeys } from "./device-keys.ts";

interface Options {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly origin: string;
  readonly now: () => number;
  /** The draft's form of the headers; Chromium's is bare. */
  readonly quoted?: boolean;
}

interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A browser with device keys. */
export function createDeviceBrowser({ fetch, origin, now, quoted = false }: Options) {
  const cookies = new Map<string, { value: string; path: string; endsAt: number }>();
  /** Whether the answer to this request is lost on its way. */
  const state = { loses: (_path: string) => false, holdsKeys: true };
  const keys = createDeviceKeys({
    post: (path, headers) => send("POST", path, { headers: { "Content-Length": "0", ...headers } }),
    leftMs: (name) => (cookies.get(name)?.endsAt ?? 0) - now(),
    now,
    quoted,
  });

  function sentCookies(path: string): [string, string][] {
    return [...cookies]
      .filter(([, { path: under, endsAt }]) => path.startsWith(under) && endsAt > now())
      .map(([name, { value }]) => [name, value]);
  }

  async function send(method: string, path: string, { headers = {}, body }: Sent): Promise<Response> {
    const Cookie = sentCookies(path)
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
    const init = {
      method,
      headers: { ...(Cookie && { Cookie }), ...headers },
      ...(body !== undefined && { body }),
    };
    const response = await fetch(new Request(origin + path, init));
    if (state.loses(path)) throw new TypeError("The answer is lost.");
    for (const line of response.headers.getSetCookie()) keep(line);
    if (state.holdsKeys) keys.read(response);
    return response;
  }

  function keep(line: string): void {
    const [, name = "", value = "", maxAge = "0", path = "/"] =
      /^([^=]+)=([^;]*); Max-Age=(\d+); Path=([^;]+)/.exec(line) ?? [];
    if (maxAge === "0") cookies.delete(name);
    else cookies.set(name, { value, path, endsAt: now() + Number(maxAge) * 1_000 });
  }

  return {
    cookies,
    sessions: keys.sessions,
    log: keys.log,
    state,
    /** Sends it as a page of the site does, held until the bound cookies are there. */
    async request(method: string, path: string, { headers = {}, ...sent }: Sent = {}): Promise<Response> {
      const own = { "Sec-Fetch-Site": "same-origin", ...(await keys.hold(path)) };
      return send(method, path, { headers: { ...own, ...headers }, ...sent });
    },
    /** Follows redirects, as a navigation does. */
    async open(path: string): Promise<{ response: Response; path: string; hops: number }> {
      const navigation = { Accept: "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate" };
      let at = path;
      for (let hops = 0; hops <= 20; hops += 1) {
        const response = await this.request("GET", at, { headers: navigation });
        const location = response.headers.get("location");
        if (location === null) return { response, path: at, hops };
        const { pathname, search } = new URL(location, origin + at);
        at = pathname + search;
      }
      throw new Error(`It is led in a loop at ${path}.`);
    },
    settled: keys.settled,
    /** What a thief gets who copies the jar. */
    jar: () => new Map([...cookies].map(([name, cookie]) => [name, { ...cookie }])),
  };
}

export type DeviceBrowser = ReturnType<typeof createDeviceBrowser>;
