import { randomUUID } from "node:crypto";
import type { ErrorCode } from "../../src/error-codes.ts";
import { codeOf, type ProtocolEngine } from "../../src/testing/protocol-engine.ts";

export type Question =
  | { readonly asks: "sign in"; readonly challenge: string }
  | { readonly asks: "refresh"; readonly token: string; readonly retryKey: string }
  | { readonly asks: "sign out"; readonly token: string };

/** What a client writes down before it asks, and once it is answered: with the token that it holds from now on. */
export type Line = { readonly client: string } & (Question | { readonly holds: string | null });

const CLIENT = { browser: null, os: null, device: null, ip: null };

/** A client, as far as it remembers. What it was answered must hold, whatever has happened to the server since. */
export class Client {
  readonly name: string;
  held: string | null = null;
  /** Not answered yet. */
  asked: Question | null = null;
  /** Of sign-ins that were answered. */
  readonly challenges: string[] = [];
  /** The newest tokens of sessions whose end was answered. */
  readonly ended: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  note(line: Line): void {
    if ("asks" in line) {
      this.asked = line;
      return;
    }
    if (this.asked?.asks === "sign in" && line.holds !== null) this.challenges.push(this.asked.challenge);
    if (this.asked?.asks === "sign out") this.ended.push(this.asked.token);
    this.asked = null;
    this.held = line.holds;
  }
}

export function readStory(text: string): Map<string, Client> {
  const clients = new Map<string, Client>();
  for (const row of text.split("\n").filter((row) => row !== "")) {
    const line: Line = JSON.parse(row);
    const client = clients.get(line.client) ?? new Client(line.client);
    clients.set(line.client, client);
    client.note(line);
  }
  return clients;
}

async function ask(node: ProtocolEngine, question: Question): Promise<string | null> {
  switch (question.asks) {
    case "sign in": {
      const challenge = { id: question.challenge, expiresAt: node.clock.now() + 300_000 };
      const signIn = { actorId: "alice", challenge };
      return (await node.engine.signIn(signIn, { transport: "body", client: CLIENT })).refreshToken;
    }
    case "refresh":
      return (await node.tokens(question.token, { retryKey: question.retryKey })).refreshToken;
    case "sign out":
      await node.engine.revokeByRefreshToken(question.token, "logout");
      return null;
  }
}

/** What a client may be told where it asks again what was not answered. */
export const FAIR: Readonly<Record<Question["asks"], readonly (ErrorCode | "none")[]>> = {
  "sign in": ["none", "challenge_used"],
  refresh: ["none"],
  "sign out": ["none", "refresh_token_revoked"],
};

/**
 * Lets a client go on after the server has started again: it asks again what was not answered, then goes on with the token that
 * it holds. Returns what contradicts its memory.
 */
export async function goOn(node: ProtocolEngine, client: Client): Promise<string[]> {
  const wrong: string[] = [];
  const { asked } = client;
  if (asked !== null) {
    const answer = await told(node, asked);
    if (!FAIR[asked.asks].includes(answer.code)) wrong.push(`a retry to ${asked.asks}: ${answer.code}`);
    // A sign-in whose challenge is used up has made a session of which nobody holds a token: the person signs again.
    client.note({ client: client.name, holds: answer.token });
  }
  const { held } = client;
  if (held !== null) {
    const answer = await told(node, { asks: "refresh", token: held, retryKey: randomUUID() });
    if (answer.code !== "none") wrong.push(`the newest token: ${answer.code}`);
    client.held = answer.token;
  }
  for (const token of client.ended) {
    const code = await codeOf(node.engine.inspectRefreshToken(token));
    if (code !== "refresh_token_revoked") wrong.push(`a session that was signed out: ${code}`);
  }
  for (const challenge of client.challenges) {
    const { code } = await told(node, { asks: "sign in", challenge });
    if (code !== "challenge_used") wrong.push(`an answered challenge: ${code}`);
  }
  return wrong.map((words) => `${client.name}, ${words}`);
}

/** What a client is told: the code of a refusal, or "none" and the refresh token that it holds then. */
export async function told(
  node: ProtocolEngine,
  question: Question,
): Promise<{ code: ErrorCode | "none"; token: string | null }> {
  let token: string | null = null;
  const code = await codeOf(ask(node, question).then((answer) => (token = answer)));
  return { code, token };
}
