import { createHmac } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import {
  type SecurityEvent,
  type SecurityEventHandler,
  SecurityEventRefused,
} from "../engine/security-event.ts";

export interface SecurityWebhookOptions {
  /** Where the events go. */
  readonly url: URL;
  /** `whsec_…` each. All of them sign, so that a receiver can go from one to the next. */
  readonly secrets: readonly string[];
  readonly clock?: Clock;
  readonly fetch?: typeof globalThis.fetch;
}

/** What says that the receiver has read this event and will not have it, rather than that it, or the way to it, is in trouble. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * Sends each security event as a POST, signed as Standard Webhooks says; 2xx means that it was taken. A redirect is not
 * followed. No answer switches the webhook off, 410 included: a receiver of security events must not lose them by one
 * wrong answer.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @example
 * ```ts
 * import { createSessions, securityWebhook } from "wallet-session/server";
 *
 * const tellSupport = securityWebhook({
 *   url: new URL("https://support.example.com/sessions"),
 *   secrets: [process.env.SUPPORT_WEBHOOK_SECRET ?? ""],
 * });
 * export const sessions = createSessions({ onSecurityEvent: tellSupport });
 * ```
 */
export function securityWebhook(options: SecurityWebhookOptions): SecurityEventHandler {
  const { url, secrets, clock = systemClock, fetch = globalThis.fetch } = options;
  const keys = secrets.map((secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
  return async (event, signal) => {
    const body = payloadOf(event);
    const timestamp = String(Math.floor(clock.now() / 1_000));
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": keys.map((key) => signature(key, `${event.id}.${timestamp}.${body}`)).join(" "),
      },
      body,
      redirect: "manual",
      // Some frameworks put a cache under fetch.
      cache: "no-store",
      signal,
    });
    await response.body?.cancel();
    if (response.ok) return;
    const problem = `the webhook was answered ${response.status}`;
    throw REFUSALS.has(response.status) ? new SecurityEventRefused(problem) : new Error(problem);
  };
}

function payloadOf({ type, sessionId, actorId, reason, occurredAt }: SecurityEvent): string {
  return JSON.stringify({
    type,
    timestamp: new Date(occurredAt).toISOString(),
    data: { session_id: sessionId, actor_id: actorId, reason },
  });
}

function signature(key: Buffer, content: string): string {
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}
