// Requests that two parsers may read in two ways: each hides a second one, and a third follows on the same connection.
import { once } from "node:events";
import { connect } from "node:net";

/** What became of it: `refused`, and the connection is over; `understood`, as one request, and the one behind it is answered. */
type Outcome = "refused" | "understood";

export interface Shape {
  readonly name: string;
  readonly sent: string;
  readonly outcome: Outcome;
}

const HOST = "Host: localhost\r\n";
const REFRESH = `POST /api/auth/refresh HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
const HIDDEN = `GET /.well-known/jwks.json HTTP/1.1\r\n${HOST}\r\n`;
const LAST = `GET /api/healthz HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const END = "0\r\n\r\n";

const refused = (name: string, sent: string): Shape => ({ name, sent, outcome: "refused" });
const understood = (name: string, sent: string): Shape => ({ name, sent, outcome: "understood" });
/** A refresh of these header lines and this body. */
const refresh = (lines: string, body = "") => `${REFRESH}${lines}\r\n${body}`;
const inBody = `Content-Length: ${HIDDEN.length}\r\n`;
const get = (line: string, lines = HOST) => `${line}\r\n${lines}\r\n`;
/** A length and an encoding that is none: what counts? */
const encodedAs = (line: string) => refresh(`${inBody}${line}\r\n`, HIDDEN);

const LENGTHS: readonly Shape[] = [
  refused(
    "a length, and chunks",
    refresh(`Content-Length: ${END.length + HIDDEN.length}\r\n${CHUNKED}`, END + HIDDEN),
  ),
  refused(
    "chunks, and a length",
    refresh(`${CHUNKED}Content-Length: ${END.length + HIDDEN.length}\r\n`, END + HIDDEN),
  ),
  refused("two lengths", refresh(`Content-Length: 0\r\n${inBody}`, HIDDEN)),
  refused("one length twice", refresh(inBody + inBody, HIDDEN)),
  ...["+", "-", "0x", "1e", "0,", " 0, "].map((sign) =>
    refused(`a length of ${sign}N`, refresh(inBody.replace(": ", `: ${sign}`), HIDDEN)),
  ),
  refused("a length with a fraction", refresh("Content-Length: 0.5\r\n", HIDDEN)),
  refused("an empty length", refresh("Content-Length: \r\n", HIDDEN)),
  refused("a length beyond 2^64", refresh("Content-Length: 18446744073709551617\r\n", HIDDEN)),
  understood("a body that is a request", refresh(inBody, HIDDEN)),
  understood("a length that begins with zeros", refresh(inBody.replace(": ", ": 000"), HIDDEN)),
  understood("a GET with a body", get("GET /api/auth/session HTTP/1.1", HOST + inBody) + HIDDEN),
  refused("a body that is longer than its length", refresh("Content-Length: 2\r\n", "{}x")),
];

const ENCODINGS: readonly Shape[] = [
  ...[
    "xchunked",
    "identity",
    "chunked, identity",
    "chunked, chunked",
    '"chunked"',
    "chunked;q=1",
    "\x0bchunked",
  ].map((coding) =>
    refused(
      `a length, and the encoding ${JSON.stringify(coding)}`,
      encodedAs(`Transfer-Encoding: ${coding}`),
    ),
  ),
  refused("the encoding gzip alone", refresh("Transfer-Encoding: gzip\r\n", END + HIDDEN)),
  refused("the encoding identity alone", refresh("Transfer-Encoding: identity\r\n", END + HIDDEN)),
  refused("an encoding on a folded line", encodedAs("Transfer-Encoding:\r\n chunked")),
  refused("an encoding folded into another header", encodedAs("X-A: b\r\n Transfer-Encoding: chunked")),
  refused("a space before the colon", encodedAs("Transfer-Encoding : chunked")),
  refused("a tab before the colon", encodedAs("Transfer-Encoding\t: chunked")),
  refused("an encoding behind a bare line feed", encodedAs("X-A: b\nTransfer-Encoding: chunked")),
  refused("an encoding behind a bare carriage return", encodedAs("X-A: b\rTransfer-Encoding: chunked")),
  refused("an encoding in two lines", refresh(`${CHUNKED}Transfer-Encoding: identity\r\n`, END + HIDDEN)),
  understood("an encoding under another name", encodedAs("Transfer_Encoding: chunked")),
];

const CHUNKS: readonly Shape[] = [
  ...["0x0", "-0", "+0", "0 ;a", "0\n", "G", "10000000000000000", " 0", ""].map((size) =>
    refused(`a chunk of ${JSON.stringify(size)}`, refresh(CHUNKED, `${size}\r\n\r\n${HIDDEN}`)),
  ),
  refused("a chunk longer than it says", refresh(CHUNKED, `2\r\n{}x\r\n${END}`)),
  refused("a chunk that ends in a bare line feed", refresh(CHUNKED, `2\r\n{}\n${END}`)),
  refused("a line feed in a chunk extension", refresh(CHUNKED, `2;a=\nb\r\n{}\r\n${END}`)),
  refused("a chunk extension of 20 KB", refresh(CHUNKED, `2;${"a".repeat(20_000)}\r\n{}\r\n${END}`)),
  understood("a chunk with an extension", refresh(CHUNKED, `2;a="b"\r\n{}\r\n${END}`)),
  understood(
    "a chunk that is a request",
    refresh(CHUNKED, `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n${END}`),
  ),
  refused("a length in the trailers", refresh(CHUNKED, `2\r\n{}\r\n0\r\n${inBody}\r\n`)),
];

const HEADS: readonly Shape[] = [
  ...[": x", "X-A", "X A: b", "X-A\0: b", "X-A: b\0c", "X(A: b", " X-A: b"].map((line) =>
    refused(`a line of ${JSON.stringify(line)}`, get("GET /api/auth/session HTTP/1.1", `${HOST}${line}\r\n`)),
  ),
  refused("no host", get("GET /api/auth/session HTTP/1.1", "")),
  refused("a method in lower case", get("get /api/auth/session HTTP/1.1")),
  refused("a method of its own", get("SMUGGLE /api/auth/session HTTP/1.1")),
  refused("HTTP/0.9", "GET /api/auth/session\r\n"),
  refused("HTTP/1.2", get("GET /api/auth/session HTTP/1.2")),
  refused("HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refused("a space in the target", get("GET /api/auth/session x HTTP/1.1")),
  refused("a NUL in the target", get("GET /api/auth/session\0 HTTP/1.1")),
  refused("a head that ends in bare line feeds", "GET /api/auth/session HTTP/1.1\nHost: x\n\n"),
  understood("the target of a proxy", get("GET http://evil.example/api/auth/session HTTP/1.1")),
  understood("a host of somebody else's", get("GET /api/auth/session HTTP/1.1", "Host: evil.example\r\n")),
  understood("two hosts", get("GET /api/auth/session HTTP/1.1", `${HOST}Host: evil.example\r\n`)),
  understood("a request behind a refused one", refresh("Content-Length: 1\r\n", "{")),
  understood("an expected 100", refresh("Content-Length: 2\r\nExpect: 100-continue\r\n", "{}")),
];

export const SHAPES: readonly Shape[] = [...LENGTHS, ...ENCODINGS, ...CHUNKS, ...HEADS];

/** What became of the shape at this server, or what it must not have become. */
export async function outcomeOf(address: string, { sent }: Shape): Promise<string> {
  const answers = await exchange(address, sent + LAST);
  const told = answers.join("\n");
  if (/^set-cookie:/im.test(told)) return "sets a cookie";
  if (told.includes("evil.example")) return "names the host of somebody else";
  if (told.includes('"keys"')) return "answers the hidden request";
  const statuses = answers.map((answer) => Number(answer.slice(9, 12))).filter((status) => status !== 100);
  const isLast = answers.at(-1)?.includes('"alive"') ?? false;
  const [first = 0, second, ...others] = statuses;
  // 413: of a chunk extension that is too long.
  if ((first === 400 || first === 413) && second === undefined && !isLast) return "refused";
  if (first >= 200 && first < 500 && second === 200 && isLast && others.length === 0) return "understood";
  return `answers ${statuses.join(", ")}`;
}

/** Targets that lead elsewhere where somebody reads them in another way, with what follows the method. */
export const HOSTILE_TARGETS = [
  "http://evil.example/",
  "http://evil.example//x",
  "https://evil.example/api/auth/refresh?next=/",
  "//evil.example/",
  "//evil.example/..",
  "///evil.example//",
  "/\\evil.example",
  "/%5cevil.example/",
  "/%2f/evil.example/",
  "/%09/evil.example/",
  "/evil.example/..//",
  "/api/auth/refresh?next=//evil.example",
  "/api/auth/refresh?next=/%5cevil.example&else=https:evil.example",
  "//api/auth/session",
  "/api//auth/session",
  "/api/auth/..;/auth/session",
  "/api/auth%2fsession",
  "/api/auth/session;x",
  "/api/auth/session%00",
  "/api/auth/%2e%2e/auth/session",
  "/api\\auth\\session",
  "/api/auth/session//",
  "/api/auth/session#x",
  "/%",
  "/%ff",
  "*",
  "evil.example:443",
] as const;

/** What is wrong with the answer to a target; null: it is refused, or leads to a path of the same site. */
export async function faultOfTarget(address: string, target: string): Promise<string | null> {
  const [answer = ""] = await exchange(
    address,
    `GET ${target} HTTP/1.1\r\n${HOST}Sec-Fetch-Dest: document\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
  );
  const status = Number(answer.slice(9, 12));
  if (!(status >= 200 && status < 500)) return `answers ${status}`;
  if (/^set-cookie:/im.test(answer) && !/^set-cookie: __Host-\w+_retry=/im.test(answer))
    return "sets a cookie";
  const [, location = "/"] = /^location: (.*)\r$/im.exec(answer) ?? [];
  const { host } = new URL(location, "http://localhost");
  return host === "localhost" ? null : `leads to ${location}`;
}

/** The answers that came until the server closed the connection: head and body as they came. */
async function exchange(address: string, sent: string): Promise<string[]> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.write(Buffer.from(sent, "latin1"));
  await once(socket, "close");
  return received.split(/(?=HTTP\/1\.1 \d{3} )/).filter((answer) => answer !== "");
}
