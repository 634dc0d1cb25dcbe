import { expect, test } from "vitest";
import { slashFinder } from "./slash.ts";

const redirect = () => new Response(null, { status: 308 });

/** A server that redirects every path that does not end as it likes; notes what it is asked for. */
function server(slash: boolean) {
  const asked: string[] = [];
  const state = { slash };
  const send = async (url: string) => {
    asked.push(url);
    return (url.split("?")[0] ?? "").endsWith("/") === state.slash ? new Response("there") : redirect();
  };
  return { asked, state, send };
}

test("a server that wants a slash is asked with one, and from then on at once", async () => {
  const find = slashFinder();
  const { asked, send } = server(true);
  expect(await (await find("/auth/refresh", send)).text()).toBe("there");
  expect(await (await find("/auth/wallet?account=G", send)).text()).toBe("there");
  expect(asked).toEqual(["/auth/refresh", "/auth/refresh/", "/auth/wallet/?account=G"]);
});

test("a server that takes to other ways is followed", async () => {
  const find = slashFinder();
  const { asked, state, send } = server(true);
  await find("/a", send);
  state.slash = false;
  expect(await (await find("/a", send)).text()).toBe("there");
  await find("/a", send);
  expect(asked).toEqual(["/a", "/a/", "/a/", "/a", "/a"]);
});

test("one that wants none is asked once; one that redirects everything, twice", async () => {
  const plain = server(false);
  await slashFinder()("/a", plain.send);
  expect(plain.asked).toEqual(["/a"]);
  const asked: string[] = [];
  const find = slashFinder();
  const portal = async (url: string) => {
    asked.push(url);
    return redirect();
  };
  for (const _ of [1, 2]) expect((await find("/a", portal)).status).toBe(308);
  expect(asked).toEqual(["/a", "/a/", "/a/", "/a"]);
});
