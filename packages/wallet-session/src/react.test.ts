import { createElement, type ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { expect, onTestFinished, test, vi } from "vitest";
import { TestPage } from "../test/test-page.ts";
import { createSessionClient } from "./client.ts";
import { createSessionFeed } from "./feed.ts";
import {
  SessionProvider,
  useFeed,
  useFeedEvent,
  useFeedStatus,
  useSession,
  useSessionClient,
} from "./react.ts";

function AllThatIsKnown(): ReactNode {
  const client = useSessionClient();
  const feed = useFeed();
  useFeedEvent("stream.state", () => {});
  return `${useSession().status} ${useFeedStatus()} ${client.state.status} ${feed?.status ?? "no feed"}`;
}

/** A client that would be caught sending anything. */
function quietClient() {
  const page = new TestPage();
  const sent: unknown[] = [];
  const client = createSessionClient({
    basePath: "http://127.0.0.1:1/api/auth",
    fetch: async (input) => {
      sent.push(input);
      return Response.json({ session_id: "A", expires_in: 900 });
    },
    environment: page.environment,
  });
  return { client, sent, page };
}

test("rendering on the server starts nothing, sends nothing and says that nothing is known", () => {
  const { client, sent, page } = quietClient();
  const feed = createSessionFeed({ client, url: "/api/events", environment: page.environment });
  const html = renderToString(
    createElement(SessionProvider, { client, feed, check: true }, createElement(AllThatIsKnown)),
  );
  expect(html).toBe("unknown idle unknown idle");
  expect(sent).toEqual([]);
});

test("what the browser renders first is what the server rendered, also where it knows more by then", async () => {
  const { client } = quietClient();
  await client.check();
  const html = renderToString(createElement(SessionProvider, { client }, createElement(AllThatIsKnown)));
  expect(html).toBe("unknown idle signed-in no feed");
});

test("the hooks say what they miss", () => {
  expect(() => renderToString(createElement(AllThatIsKnown))).toThrow("SessionProvider");
});

test("the provider renders `Context.Provider`: React 18 knows no other way", async () => {
  const Provider = "the provider of the context";
  vi.resetModules();
  vi.doMock("react", () => ({
    createContext: () => ({ Provider }),
    createElement: (type: unknown) => ({ type }),
    useEffect: () => {},
    useMemo: (make: () => unknown) => make(),
  }));
  onTestFinished(() => {
    vi.doUnmock("react");
    vi.resetModules();
  });
  const under18 = await import("./react.ts");
  expect(under18.SessionProvider({ client: quietClient().client })).toEqual({ type: Provider });
});
