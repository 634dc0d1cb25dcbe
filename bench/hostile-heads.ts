import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createWalletKeypair } from "../packages/wallet-session/src/testing/wallet-keypair.ts";
import { type AppServer, startApp } from "../test/support/app-server.ts";
import { median } from "./measure.ts";

const HEAD_CHARS = 14_000;
const WARM_UP_BLOCKS = 50;
const BLOCKS = 5;
const REQUESTS = 20;
const FLOODING_CONNECTIONS = 4;
const FLOOD_MS = 1_500;
/** The unit of /proc/PID/stat. */
const TICK_MS = 10;

type Headers = Readonly<Record<string, string>>;

/** What a stranger may send to any path: what is added to its query, and header lines. */
interface Head {
  readonly kind: string;
  readonly query?: string;
  readonly headers?: Headers;
}

export interface HostileHeads {
  readonly path: string;
  /** Milliseconds of the server's CPU for one request. */
  readonly plain: number;
  readonly worst: { readonly kind: string; readonly cpuMs: number };
  readonly kinds: number;
  /** Kinds above 5 ms. */
  readonly above: readonly string[];
}

export interface Flooded {
  readonly kind: string;
  /** Milliseconds that `/api/healthz` takes at the median, while nothing but such heads comes over four connections. */
  readonly healthzMs: number;
}

const filled = (piece: string) => piece.repeat(Math.floor(HEAD_CHARS / piece.length));
const counted = (piece: (n: string) => string) => {
  let text = "";
  for (let n = 0; text.length < HEAD_CHARS - 20; n += 1) text += piece(n.toString(36));
  return text;
};

function hostileHeads(): Head[] {
  const queries = ["a&", "a=1&", "a[]=&", "=&", "%61&", "a[b]=1&", "+", "%", ";", "&", "=", "a=%25&", "?"];
  const repeated: Record<string, readonly string[]> = {
    Cookie: ["=;", "a=1; ", ";", "a; ", " ", '"', "a=%", "__Host-a=1; ", "next-url=/; "],
    "User-Agent": ["a", "a-", "Mozilla/5.0 (", "droid", "(", ";", " ", "1.", "Android 1; "],
    Accept: [",", "text/html;q=0.1,", ";", "*/*,"],
    "Accept-Language": [",", "en-", "a;q=1,"],
    "Accept-Encoding": [",", "gzip;q=0,"],
    Authorization: ["Bearer ", ".", "DPoP "],
    "If-None-Match": ['"a",', "W/"],
    "X-Forwarded-For": [",", "1.1.1.1,"],
    "Next-Router-State-Tree": ["[", "%5B"],
    DPoP: [".", "eyJ"],
    Range: ["0-0,"],
    Referer: ["/a", "?"],
    Forwarded: ["for=1;", ","],
  };
  return [
    ...queries.map((piece) => ({ kind: `query ${piece}`, query: filled(piece) })),
    { kind: "query of other names", query: counted((n) => `q${n}=1&`) },
    ...Object.entries(repeated).flatMap(([name, pieces]) =>
      pieces.map((piece) => ({ kind: `${name} ${piece}`, headers: { [name]: `x${filled(piece)}x` } })),
    ),
    { kind: "Cookie of other names", headers: { Cookie: counted((n) => `c${n}=1; `) } },
    {
      kind: "700 lines",
      headers: Object.fromEntries(Array.from({ length: 700 }, (_, n) => [`X-H-${n}`, "1"])),
    },
  ];
}

const NAVIGATION = {
  Accept: "text/html,*/*;q=0.8",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
};

/** On a route, a page, and a guarded page of somebody who is signed in. */
export async function hostileHeadsOf(): Promise<{ heads: HostileHeads[]; flooded: Flooded }> {
  const server = await startApp({ LOG_LEVEL: "warn" });
  try {
    const jar = await signIn(server);
    const places = [
      { path: "/api/healthz", own: {} },
      { path: "/sign-in", own: NAVIGATION },
      { path: "/streams", own: { ...NAVIGATION, Cookie: jar } },
    ];
    const heads: HostileHeads[] = [];
    for (const place of places) heads.push(await costs(server, place));
    return { heads, flooded: await flood(server) };
  } finally {
    await server.stop();
  }
}

interface Place {
  readonly path: string;
  readonly own: Headers;
}

async function costs(server: AppServer, { path, own }: Place): Promise<HostileHeads> {
  const block = async (head: Head) => {
    const before = cpuMs(server);
    for (let n = 0; n < REQUESTS; n += 1) await get(server, path, own, head);
    return (cpuMs(server) - before) / REQUESTS;
  };
  // A collection of garbage falls on one block or another.
  const cpuOf = async (head: Head) => {
    const blocks: number[] = [];
    for (let n = 0; n < BLOCKS; n += 1) blocks.push(await block(head));
    return median(blocks);
  };
  for (let n = 0; n < WARM_UP_BLOCKS; n += 1) await block({ kind: "warm up" });
  const plain = await cpuOf({ kind: "plain" });
  // Twice, far apart: what the server does by the way only adds to a figure.
  const kinds = hostileHeads();
  const figures = new Map<string, number>();
  for (const head of [...kinds, ...kinds.toReversed()]) {
    figures.set(head.kind, Math.min(figures.get(head.kind) ?? Number.POSITIVE_INFINITY, await cpuOf(head)));
  }
  const byCost = [...figures].map(([kind, cpuMs]) => ({ kind, cpuMs })).sort((a, b) => b.cpuMs - a.cpuMs);
  const [worst = { kind: "none", cpuMs: 0 }] = byCost;
  const above = byCost
    .filter(({ cpuMs }) => cpuMs > 5)
    .map(({ kind, cpuMs }) => `${kind}: ${cpuMs.toFixed(1)}`);
  return { path, plain, worst, kinds: kinds.length, above };
}

async function flood(server: AppServer): Promise<Flooded> {
  let worst: Flooded = { kind: "none", healthzMs: 0 };
  for (const head of hostileHeads()) {
    const until = Date.now() + FLOOD_MS;
    const times: number[] = [];
    const flooding = Array.from({ length: FLOODING_CONNECTIONS }, async () => {
      while (Date.now() < until) await get(server, "/api/healthz", {}, head);
    });
    while (Date.now() < until) {
      const begun = process.hrtime.bigint();
      await get(server, "/api/healthz", {}, { kind: "plain" });
      times.push(Number(process.hrtime.bigint() - begun) / 1e6);
    }
    await Promise.all(flooding);
    if (median(times) > worst.healthzMs) worst = { kind: head.kind, healthzMs: median(times) };
  }
  return worst;
}

/** The status does not matter: what is refused has its cost as well. */
function get(server: AppServer, path: string, own: Headers, { query, headers = {} }: Head): Promise<void> {
  const { Cookie: jar, ...rest } = own;
  const cookies = [headers.Cookie, jar].filter((text) => text !== undefined).join("; ");
  const lines = { ...rest, ...headers, ...(cookies !== "" && { Cookie: cookies }) };
  return new Promise((resolve, reject) => {
    const sent = request(
      server.address + path + (query === undefined ? "" : `?${query}`),
      { headers: lines },
      (answer) => {
        answer.on("close", resolve).resume();
      },
    );
    sent.on("error", reject).end();
  });
}

function cpuMs(server: AppServer): number {
  const text = readFileSync(`/proc/${server.pid}/stat`, "utf8");
  // After the name, which is in brackets and may hold spaces: state is the first field, utime and stime the 12th and 13th.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

async function signIn({ address, publicUrl }: AppServer): Promise<string> {
  const wallet = createWalletKeypair();
  const url = `${address}/api/auth/wallet`;
  const challenge = await (await fetch(`${url}?account=${wallet.account}`)).json();
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Session-Transport": "cookie", Origin: publicUrl },
    body: JSON.stringify({ transaction: wallet.sign(challenge as Parameters<typeof wallet.sign>[0]) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .join("; ");
}
