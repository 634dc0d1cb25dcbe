// A guarded page of somebody else's app, in a real browser, that stays open while access tokens end.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SessionClient } from "wallet-session/client";
import { createWalletKeypair } from "wallet-session/testing";
import { type Program, startServer } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { type Consumer, PACKED_WITHIN_MS } from "../support/consumer.ts";
import { storedSession } from "../support/database.ts";
import { consumerOf, type Example, initExample } from "../support/example-under-test.ts";
import { browserUnderTest } from "./browser.ts";

/** What the scripts of a page share here. */
declare const session: SessionClient;
declare const sign: (challenge: { transaction: string; networkPassphrase: string }) => Promise<string>;

/** How `init`'s files of each framework are started, and where its sign-in page is. */
type Examples = Partial<
  Record<Example["name"], { signIn: string; prepare(directory: string, consumer: Consumer): Program }>
>;

interface Tokens {
  readonly ttlSeconds: number;
  /** A quarter of that, unless said. */
  readonly leewaySeconds?: number;
  /** So many of them end while the page is open. */
  readonly ends: number;
}

/** Side by side, so that all of them take as long as one. */
export function testKeptOpen(examples: Examples, { ttlSeconds, leewaySeconds, ends }: Tokens): void {
  let consumer: Consumer;
  let script: string;

  beforeAll(async () => {
    consumer = await consumerOf(...(Object.keys(examples) as Example["name"][]));
    script = await pageScript(consumer, leewaySeconds ?? ttlSeconds / 4);
  }, PACKED_WITHIN_MS);
  afterAll(() => consumer?.remove());

  for (const [name, { signIn, prepare }] of Object.entries(examples)) {
    describe.concurrent(name, () => {
      const app = appUnderTest(
        // The names of cookies that apps get which set none.
        () => ({
          COOKIE_NAME: "",
          ACCESS_TOKEN_TTL: `${ttlSeconds}s`,
          ...(leewaySeconds !== undefined && { REFRESH_LEEWAY: `${leewaySeconds}s` }),
        }),
        async (settings) => {
          const { directory } = await initExample(name as Example["name"], consumer);
          return startServer(prepare(directory, consumer), settings);
        },
      );
      const browser = browserUnderTest(app, { sideBySide: true });

      test(`a guarded page stays open through ${ends} ends of its access token`, async () => {
        const key = createWalletKeypair();
        const context = await browser.open({ walletOf: null, mayComplainOf: /favicon/ });
        await context.addInitScript(script);
        await context.exposeFunction(
          "sign",
          ({ transaction, networkPassphrase }: Parameters<typeof sign>[0]) =>
            key.sign({ transaction, network_passphrase: networkPassphrase }),
        );
        const page = await context.newPage();
        await page.goto(signIn);
        const state = await page.evaluate((account) => session.signIn({ account, sign }), key.account);
        if (state.status !== "signed-in") throw new Error(`It is ${state.status}.`);
        const stored = () => storedSession(app.server, state.sessionId);
        await page.goto("/account");
        await page.getByRole("heading", { name: key.account }).waitFor();

        const loads: string[] = [];
        page.on("framenavigated", (frame) => loads.push(frame.url()));
        for (let end = 1; end <= ends; end++) {
          await page.waitForTimeout(ttlSeconds * 1_000);
          const again = await page.evaluate(async () => (await session.fetch("/account")).text());
          expect(again).toContain(key.account);
        }
        expect(stored()).toMatchObject({ revokedReason: null });
        expect(stored().generation).toBeGreaterThan(ends);
        expect(loads).toEqual([]);

        expect((await page.reload())?.status()).toBe(200);
        await page.getByRole("heading", { name: key.account }).waitFor();
        expect(await page.evaluate(() => session.check())).toMatchObject({ sessionId: state.sessionId });
      });
    });
  }
}

/** What a page of theirs would load, bundled from the package as they have it. */
async function pageScript({ project }: Consumer, leewaySeconds: number): Promise<string> {
  const input = join(project, "page.js");
  writeFileSync(
    input,
    `import { createSessionClient } from "wallet-session/client";
    if (location.protocol === "http:") {
      window.session = createSessionClient({ leewaySeconds: ${leewaySeconds} });
      window.session.start();
      window.session.check();
    }`,
  );
  const bundle = await rolldown({ input, cwd: project });
  const { output } = await bundle.generate({ format: "iife" });
  return output[0].code;
}
