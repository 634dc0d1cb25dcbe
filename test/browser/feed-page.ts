// A page of its own for feed.test.ts: what wallet-session gives to a browser, without the app around it.
import { createElement, type ReactNode, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { createSessionClient } from "wallet-session/client";
import { createSessionFeed, type FeedEvent } from "wallet-session/feed";
import { SessionProvider, useFeedEvent, useFeedStatus, useSession } from "wallet-session/react";

/** The time of the feed: the page's own, and whatever a test skips of it. */
let skippedMs = 0;
const timers = new Set<{ readonly dueAt: number; readonly run: () => void }>();
const now = () => performance.now() + skippedMs;

function after(ms: number, task: () => void): () => void {
  const run = () => {
    callOff();
    task();
  };
  const timer = { dueAt: now() + ms, run };
  const handle = setTimeout(run, ms);
  const callOff = () => {
    clearTimeout(handle);
    timers.delete(timer);
  };
  timers.add(timer);
  return callOff;
}

/** So much time goes by at once: whatever is due by then happens. */
function skip(ms: number): void {
  skippedMs += ms;
  for (const { dueAt, run } of timers) if (dueAt <= now()) run();
}
Object.assign(window, { skip });

const client = createSessionClient({ cookieName: "ws" });
const feed = createSessionFeed({ client, url: "/api/events", environment: { now, after } });

function Page(): ReactNode {
  const session = useSession();
  const status = useFeedStatus();
  const [events, setEvents] = useState<FeedEvent[]>([]);
  useFeedEvent("stream.state", (event) => setEvents((before) => [...before, event]));
  const who = session.status === "signed-in" ? session.sessionId : session.status;
  return createElement("p", null, `${who} ${status} ${events.map(({ id }) => id).join(",")}`);
}

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root.");
createRoot(root).render(
  createElement(
    StrictMode,
    null,
    createElement(SessionProvider, { client, feed, check: true }, createElement(Page)),
  ),
);
