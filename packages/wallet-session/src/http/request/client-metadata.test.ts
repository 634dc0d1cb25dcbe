import { expect, test } from "vitest";
import { clientMetadata } from "./client-metadata.ts";

function metadataOf(userAgent: string | undefined, address: string | null = null) {
  const headers = userAgent === undefined ? {} : { "User-Agent": userAgent };
  return clientMetadata(new Request("https://pay.example.com/", { headers }), address);
}

test.each([
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    { browser: "Safari 17", os: "iOS 17", device: "iPhone" },
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    { browser: "Chrome 126", os: "Windows", device: "desktop" },
  ],
  [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    { browser: "Safari 17", os: "macOS", device: "desktop" },
  ],
  ["curl/8.5.0", { browser: null, os: null, device: null }],
  ["", { browser: null, os: null, device: null }],
  [undefined, { browser: null, os: null, device: null }],
])("tells the device of %s", (userAgent, expected) => {
  expect(metadataOf(userAgent)).toEqual({ ...expected, ip: null });
});

test("is small whatever a client says", () => {
  const { browser, os, device } = metadataOf(`${"x".repeat(300)}/99999999 ${"y".repeat(60_000)}`);
  for (const text of [browser, os, device]) expect(text?.length ?? 0).toBeLessThanOrEqual(50);
});

test("keeps of an address its network alone, and nothing of what is no address", () => {
  expect(metadataOf(undefined, "203.0.113.77").ip).toBe("203.0.113.0");
  expect(metadataOf(undefined, "2001:db8:1:2::3").ip).toBe("2001:db8:1::");
  expect(metadataOf(undefined, "unknown").ip).toBeNull();
});
