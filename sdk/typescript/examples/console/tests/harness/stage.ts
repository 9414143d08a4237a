/** A real `gx`, a real Envoy, the console in front of them, and a real Chromium. */

import assert from "node:assert/strict";
import type { Server } from "node:http";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page, type Route } from "playwright-core";
import { Gateway } from "../../../../tests/packed/harness/gateway.js";
import { Gx, PASSWORD, type Person } from "../../../../tests/packed/harness/gx.js";
import { freePort, needed } from "../../../../tests/packed/harness/process.js";

/** What Chromium needs as root and without a network. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long anything may take to be seen. */
const PATIENCE_MS = 20_000;

/** Serves a page on a port, for a gateway. */
export type Serve = (port: number, gateway: string) => Promise<Server>;

async function ofConsole(): Promise<Serve> {
  const { serve } = (await import(needed("CONSOLE"))) as { serve: Serve };
  return serve;
}

export class Stage {
  readonly gx: Gx;
  readonly #gateway: Gateway;
  readonly #console: Server;
  readonly #browser: Browser;
  readonly url: string;
  /** What pages complained about: errors, and violations of their policy. */
  readonly #complaints: string[] = [];

  private constructor(gx: Gx, gateway: Gateway, console: Server, browser: Browser, url: string) {
    this.gx = gx;
    this.#gateway = gateway;
    this.#console = console;
    this.#browser = browser;
    this.url = url;
  }

  /** Sets it with the console, or with another page. */
  static async set(serve?: Serve): Promise<Stage> {
    const gx = await Gx.start();
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const gateway = await Gateway.start(gx.ports, { GX_LISTEN__ORIGINS: url });
    const console = await (serve ?? (await ofConsole()))(port, gateway.url);
    const browser = await chromium.launch({ executablePath: needed("CHROMIUM_BINARY"), args: FLAGS });
    return new Stage(gx, gateway, console, browser, url);
  }

  async strike(): Promise<void> {
    await this.#browser.close();
    this.#console.close();
    await this.#gateway.stop();
    await this.gx.stop();
  }

  /** The console in a browser of its own, where nobody is signed in. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ locale: "en-GB", timezoneId: "UTC", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.#complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    await page.goto(this.url);
    return page;
  }

  /** Closes what a test has opened, and gives what its pages complained about. */
  async clear(): Promise<string[]> {
    await Promise.all(this.#browser.contexts().map((context) => context.close()));
    return this.#complaints.splice(0);
  }

  /** The console of somebody who is signed in. */
  async openFor(person: Person, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(options);
    await signIn(page, person);
    return page;
  }
}

/** Signs in where the page asks for it. */
export async function signIn(page: Page, person: Pick<Person, "contact">, password = PASSWORD): Promise<void> {
  await trySignIn(page, person, password);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Enters who one is, and sees what becomes of it. */
export async function trySignIn(page: Page, { contact }: Pick<Person, "contact">, password: string): Promise<void> {
  await page.getByLabel("Contact").fill(contact);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Goes to a room by the bar. */
export async function go(page: Page, room: string): Promise<void> {
  await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: room }).click();
}

/** Waits until words are seen. */
export async function sees(page: Page, words: string | RegExp): Promise<void> {
  await page.locator("main").getByText(words).first().waitFor();
}

/** Waits until an element has the focus. */
export async function hasFocus(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((wanted) => document.activeElement?.textContent.includes(wanted), wanted);
}

/** Holds the next such call back until the answered function is called. */
export async function hold(page: Page, calls: string): Promise<() => void> {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const pass = async (route: Route): Promise<void> => {
    await held;
    await route.continue();
  };
  await page.route(calls, pass, { times: 1 });
  return release;
}

/** Keeps a picture of the whole page. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = needed("SCREENSHOTS");
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** Whether nothing is wider than the page. */
export async function fits(page: Page): Promise<void> {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, "the page can be scrolled sideways");
}
