import { afterEach, describe, expect, test, vi } from "vitest";
import { browserEnvironment, wakefulClock } from "./environment.ts";

afterEach(() => vi.unstubAllGlobals());

describe("the clock", () => {
  test.each([
    ["both clocks go on", 10, 10, 10],
    ["the machine slept and the steady clock stood still", 0, 3_600_000, 3_600_000],
    ["the wall clock was set back", 10, -5_000, 10],
    ["neither moved", 0, 0, 0],
  ])("%s", (_, steadyStep, wallStep, passed) => {
    let steady = 100;
    let wall = 9_000;
    const now = wakefulClock(
      () => steady,
      () => wall,
    );
    const before = now();
    steady += steadyStep;
    wall += wallStep;
    expect(now() - before).toBe(passed);
  });
});

describe("where there is no page", () => {
  test("no cookie is seen or set, and nothing wakes", () => {
    const { cookies, onWake, now } = browserEnvironment();
    cookies.write("a=b");
    expect(cookies.read()).toBe("");
    expect(() => onWake(() => {})()).not.toThrow();
    expect(now()).toBeGreaterThanOrEqual(0);
  });
});

describe("in a page", () => {
  function openPage() {
    const document = Object.assign(new EventTarget(), { visibilityState: "visible", cookie: "a=b" });
    const window = new EventTarget();
    vi.stubGlobal("document", document);
    vi.stubGlobal("window", window);
    return { document, window };
  }

  test("wakes when it is seen, focused, shown again or online, until told not to listen", () => {
    const { document, window } = openPage();
    let woken = 0;
    const stop = browserEnvironment().onWake(() => {
      woken += 1;
    });
    document.dispatchEvent(new Event("visibilitychange"));
    for (const name of ["focus", "online", "pageshow"]) window.dispatchEvent(new Event(name));
    expect(woken).toBe(4);
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    expect(woken).toBe(4);
    stop();
    document.visibilityState = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("focus"));
    expect(woken).toBe(4);
  });

  test("cookies are those of the document", () => {
    const { document } = openPage();
    const { cookies } = browserEnvironment();
    expect(cookies.read()).toBe("a=b");
    cookies.write("c=d");
    expect(document.cookie).toBe("c=d");
  });

  test("a timer that is called off does not run, and one that is too long does not run at once", async () => {
    const { after } = browserEnvironment();
    const ran: string[] = [];
    after(0, () => ran.push("called off"))();
    const callOff = after(1e12, () => ran.push("too long"));
    await new Promise<void>((resolve) => {
      after(1, resolve);
    });
    callOff();
    expect(ran).toEqual([]);
  });

  test("retry keys are long, unlike each other, and fit a cookie", () => {
    const { newRetryKey } = browserEnvironment();
    const keys = new Set(Array.from({ length: 100 }, newRetryKey));
    expect(keys.size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^\d{1,10}(?:-\d{1,10}){5}$/);
  });
});
