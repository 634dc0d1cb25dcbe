// What the page of a payment stream shows.
import type { Locator, Page } from "playwright-core";

export const status = (page: Page, name: string): Locator =>
  page.getByRole("status").getByText(name, { exact: true });

export const history = (page: Page, entry: string | RegExp): Locator =>
  page.getByRole("region", { name: "History" }).getByRole("listitem").filter({ hasText: entry });
