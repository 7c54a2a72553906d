/** The status page in a browser, with everything that it breaks on the way. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** Opens the page in a context of its own and waits for its first answer. `problems`: errors of the page, and refusals by its CSP, so far. */
export async function withStatusPage(
  browser: Browser,
  url: string,
  use: (page: Page, problems: readonly string[]) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) problems.push(message.text());
    });
    await page.goto(url);
    await page.getByText("every region can serve").waitFor({ timeout: 60_000 });
    await use(page, problems);
  } finally {
    await context.close();
  }
}
