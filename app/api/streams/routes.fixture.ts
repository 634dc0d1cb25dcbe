import { beforeAll } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { bearer, get, post, type SignedIn, signedIn } from "../auth/routes.fixture.ts";
import { route } from "../documented-route.fixture.ts";

export const KEYS = {
  sender: createWalletKeypair(),
  recipient: createWalletKeypair(),
  stranger: createWalletKeypair(),
};
export type Person = keyof typeof KEYS;
export const people = {} as Record<Person, SignedIn>;

beforeAll(async () => {
  for (const name of Object.keys(KEYS) as Person[]) people[name] = await signedIn(KEYS[name]);
});

export const as = (person: Person) => bearer(people[person].access_token);
export const WISH = { recipient: KEYS.recipient.account, deposit: "100", duration_seconds: 100 };

export async function answerOf(response: Response | Promise<Response>) {
  const { status, headers, ...rest } = await response;
  const text = await (await response).text();
  return { ...rest, status, headers, text, json: text.startsWith("{") ? JSON.parse(text) : null };
}

export function create(
  body: unknown = WISH,
  headers: Record<string, string> = {},
  person: Person = "sender",
) {
  return answerOf(route(post("/api/streams", body, { ...as(person), ...headers })));
}

export async function make(more: Record<string, unknown> = {}): Promise<string> {
  return (await create({ ...WISH, ...more })).json.id;
}

export function ask(id: string, command: string, headers: Record<string, string> = {}) {
  return answerOf(route(get(`/api/streams/${id}/${command}`, { ...as("sender"), ...headers }, "POST")));
}

export const read = (id: string, person: Person = "sender") =>
  answerOf(route(get(`/api/streams/${id}`, as(person))));

export const list = (query = "", person: Person = "sender") =>
  answerOf(route(get(`/api/streams${query}`, as(person))));

export const codeOf = ({ status, json }: { status: number; json: { code?: string } | null }) =>
  `${status} ${json?.code}`;

/** All that the three can see, so that a test can tell that nothing has changed. */
export async function everything(): Promise<string> {
  const lists = await Promise.all(
    (Object.keys(KEYS) as Person[]).map(async (person) => (await list("?limit=100", person)).json.streams),
  );
  return JSON.stringify(lists.flat().map(({ id, version, settled }) => [id, version, settled]));
}
