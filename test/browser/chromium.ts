import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { chromium as machineChromium } from "../../scripts/setup/services.ts";

const EXECUTABLE = machineChromium();

/**
 * Of the features that are off. Chromium takes the last list only, so this one has those of Playwright's own that matter here:
 * to leave addresses as they are, to show what is drawn, and to ask nobody in the background.
 */
const FEATURES_OFF = [
  // Each window starts two pages for the address bar that nobody sees, and they take longer than a page of the app.
  "WebUIOmniboxPopup",
  "WebUIOmniboxAimPopup",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
];
const ARGS = ["--no-sandbox", "--disable-gpu", `--disable-features=${FEATURES_OFF.join()}`];

/** The machine's own Chromium. */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(
      `These tests drive a real browser, and there is no ${EXECUTABLE}. ` +
        "Install Chromium (on Debian: apt-get install chromium), or say in CHROMIUM where it is.",
    );
  }
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
}
