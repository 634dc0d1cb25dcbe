import { type EndReason, isEndReason } from "./end-reason.ts";
import type { Channel, ClientEnvironment } from "./environment.ts";

/** What a tab tells the others of its browser: an answer that it has just had from the server. */
export type SessionNews =
  | {
      /** The jar holds new tokens, of a session that goes on or of a new one. */
      readonly type: "renewed" | "signed-in";
      readonly sessionId: string;
      readonly expiresInSeconds: number;
      /** When the server said so, by the machine's clock: a tab that was frozen hears it late. */
      readonly at: number;
      /** As the answer says it. */
      readonly isBound?: boolean | undefined;
    }
  | { readonly type: "ended"; readonly sessionId: string; readonly reason: EndReason };

/**
 * Joins the channel on which the tabs of a browser tell each other news; undefined where there is none. Other messages, as
 * from another version of the page, are dropped.
 */
export function joinNews(
  environment: Pick<ClientEnvironment, "openChannel">,
  name: string,
  hear: (news: SessionNews) => void,
): Channel<SessionNews> | undefined {
  return environment.openChannel(name, (message) => {
    if (isNews(message)) hear(message);
  });
}

function isNews(message: unknown): message is SessionNews {
  if (typeof message !== "object" || message === null) return false;
  const { type, sessionId, expiresInSeconds, at, reason, isBound }: Partial<Record<string, unknown>> = {
    ...message,
  };
  if (typeof sessionId !== "string") return false;
  if (type === "ended") return isEndReason(reason);
  if (type !== "renewed" && type !== "signed-in") return false;
  if (typeof expiresInSeconds !== "number" || typeof at !== "number") return false;
  return typeof (isBound ?? true) === "boolean";
}
