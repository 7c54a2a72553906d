/** One viewer: a page of its own that plays one cell, and what it loaded from where. */
import type { Browser, BrowserContext, Page, Response } from "playwright-core";
import { eventually } from "../harness/wait.ts";
import type { Lab, Ticket } from "./lab.ts";
import type { Cell } from "./matrix.ts";
import type { Now, Recording, ViewerRequest } from "./page/types.d.ts";

/** A media segment that has come whole. */
export interface Served {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly region: "a" | "b";
}

/** Epoch milliseconds, as the pages count them. */
export const epochNow = (): number => performance.timeOrigin + performance.now();

const PAGE_MS = 60_000;

export class Viewer implements AsyncDisposable {
  readonly cell: Cell;
  readonly served: Served[] = [];
  readonly #context: BrowserContext;
  readonly #page: Page;
  readonly #ticket: Ticket;

  private constructor(cell: Cell, context: BrowserContext, page: Page, ticket: Ticket) {
    this.cell = cell;
    this.#context = context;
    this.#page = page;
    this.#ticket = ticket;
  }

  /** Opens the page; nothing is played yet. */
  static async open(browser: Browser, lab: Lab, cell: Cell): Promise<Viewer> {
    await using stack = new AsyncDisposableStack();
    const ticket = stack.use(await lab.ticket(cell));
    const context = stack.adopt(await browser.newContext({ viewport: { width: 320, height: 180 } }), async (each) => each.close());
    const page = await context.newPage();
    const viewer = new Viewer(cell, context, page, ticket);
    const regions = { [lab.host("a")]: "a", [lab.host("b")]: "b" } as const;
    context.on("requestfinished", (request) => {
      const { host, pathname } = new URL(request.url());
      const region = regions[host];
      if (region === undefined || !isMedia(pathname)) return;
      const at = epochNow();
      const note = (response: Response | null): void => {
        if (response?.ok() === true) viewer.served.push({ at, region });
      };
      // The page may have been closed by then.
      request.response().then(note, () => undefined);
    });
    await page.goto(lab.page);
    await page.waitForFunction("window.stage !== undefined", null, { timeout: PAGE_MS });
    stack.move();
    return viewer;
  }

  async play(): Promise<void> {
    const { player, buffer, content, kit } = this.cell;
    const request: ViewerRequest = { player, buffer, kit, live: content === "live", url: this.#ticket.url, token: this.#ticket.token };
    // It may never resolve: a player can wait for its manifest for ever.
    void this.#page.evaluate(`window.stage.play(${JSON.stringify(request)})`).catch(() => undefined);
    await eventually(PAGE_MS, `${player} to be asked to play`, async () => ((await this.now()).sample === null ? null : true));
  }

  async now(): Promise<Now> {
    return (await this.#page.evaluate("window.stage.now()")) as Now;
  }

  async recording(): Promise<Recording> {
    return (await this.#page.evaluate("window.stage.recording()")) as Recording;
  }

  endSteering(): void {
    this.#ticket.endSteering();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await this.#ticket[Symbol.asyncDispose]();
  }
}

/** A fragment, not the initialization segment, which some players load from every region at the start. */
function isMedia(path: string): boolean {
  return path.includes("/Fragments(") && !path.includes("=i,");
}
