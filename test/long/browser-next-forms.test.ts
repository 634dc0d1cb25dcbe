// Forms and server actions in somebody else's app on Next, when the access token has ended: nothing that was typed is lost.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { browserUnderTest, button, fillJar, letAccessEnd, PATIENTLY } from "../browser/browser.ts";
import { startServer } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import type { Consumer } from "../support/consumer.ts";
import { whileGone } from "../support/database.ts";
import { buildExampleNext } from "../support/example-next.ts";
import { initExample } from "../support/example-under-test.ts";

const NOTES = "/account/notes";
/** A page with a form, which works with and without the script of the page. */
const FILES = {
  [`app${NOTES}/notes.ts`]: `
    const kept = globalThis as { notes?: string[] };
    export const notes = (kept.notes ??= []);
  `,
  [`app${NOTES}/actions.ts`]: `"use server";
    import { revalidatePath } from "next/cache";
    import { guard } from "../../../sessions";
    import { notes } from "./notes";

    export async function keep(form: FormData) {
      await guard.require("${NOTES}", { fresh: true });
      const file = form.get("file") as File;
      notes.push(form.get("note") + ", " + file.size + " bytes");
      revalidatePath("${NOTES}");
    }
  `,
  [`app${NOTES}/page.tsx`]: `
    import { guard } from "../../../sessions";
    import { keep } from "./actions";
    import { notes } from "./notes";

    export default async function NotesPage() {
      await guard.require("${NOTES}");
      return (
        <main>
          <ul>{notes.map((note) => <li key={note}>{note}</li>)}</ul>
          <form action={keep}>
            <input name="note" aria-label="Note" />
            <input name="file" type="file" aria-label="File" />
            <button type="submit">Keep</button>
          </form>
        </main>
      );
    }
  `,
};

let consumer: Consumer | undefined;
afterAll(() => consumer?.remove());

const app = appUnderTest(
  () => ({ ACCESS_TOKEN_TTL: "4s", REFRESH_LEEWAY: "1s" }),
  async (settings) => {
    const made = await initExample("next");
    ({ consumer } = made);
    return startServer(buildExampleNext(made.directory, consumer, FILES), settings);
  },
);
const browser = browserUnderTest(app);

/** A signed-in page with the form filled in. Alive where it has script. */
async function filledIn(context: BrowserContext, note: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(NOTES);
  await page.getByLabel("Note").fill(note);
  const file = { name: "a.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(300_000) };
  await page.getByLabel("File").setInputFiles(file);
  return page;
}

async function signedIn(javaScriptEnabled: boolean): Promise<BrowserContext> {
  const context = await browser.open({ javaScriptEnabled, mayComplainOf: /favicon/ });
  await fillJar(context);
  return context;
}

const keptIn = (page: Page, note: string) => page.getByText(`${note}, 300000 bytes`);

const WAYS: [string, boolean][] = [
  ["with script", true],
  ["without script", false],
];

test.each(WAYS)("%s: the form arrives, with its file, after the token has ended", async (way, script) => {
  const context = await signedIn(script);
  const page = await filledIn(context, `ended ${way}`);
  const names = async () => (await context.cookies()).map(({ name }) => name);
  await expect.poll(names, PATIENTLY).not.toContain("__Host-ws_access");
  const posts: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") posts.push(new URL(request.url()).pathname);
  });
  await button(page, "Keep").click();
  await keptIn(page, `ended ${way}`).waitFor();
  expect(posts).toEqual([NOTES, "/api/auth/refresh", NOTES]);
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(NOTES);
});

test.each(WAYS)("%s: forms of two tabs at once both arrive", async (way, script) => {
  const context = await signedIn(script);
  const pages = [await filledIn(context, `one ${way}`), await filledIn(context, `other ${way}`)];
  await letAccessEnd(context);
  await Promise.all(pages.map((page) => button(page, "Keep").click()));
  for (const [index, page] of pages.entries()) {
    await keptIn(page, `${index === 0 ? "one" : "other"} ${way}`).waitFor();
  }
});

test.each(WAYS)(
  "%s: where the session was ended, the form leads to the sign-in page",
  async (way, script) => {
    const context = await signedIn(script);
    const page = await filledIn(context, `refused ${way}`);
    const origin = { Origin: app.server.publicUrl };
    const kept = await context.cookies();
    expect((await context.request.post("/api/auth/logout", { headers: origin })).status()).toBe(204);
    await context.addCookies(kept);
    await letAccessEnd(context);
    await button(page, "Keep").click();
    await page.waitForURL(({ pathname }) => pathname === "/sign-in");
    expect(new URL(page.url()).searchParams.get("next")).toBe(NOTES);
  },
);

test("without script: while the store is gone the form is kept, and a reload sends it", async () => {
  const context = await signedIn(false);
  const page = await filledIn(context, "late");
  await letAccessEnd(context);
  await whileGone(app.server, async () => {
    await button(page, "Keep").click();
    await page.getByText("Reload this page to send it").waitFor();
  });
  await page.reload();
  // A file that no disk holds, as here, is all that Chromium cannot send again.
  await page.getByText(/^late, /).waitFor();
});
