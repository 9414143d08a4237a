/** The console, as two people use it in two browsers. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Qirat } from "@gx/sdk";
import axe from "axe-core";
import type { Page, Route } from "playwright-core";
import type { AxeResults } from "axe-core";
import { Stage, fits, go, hasFocus, hold, picture, sees, signIn, trySignIn } from "./harness/stage.js";
import { pays, type Person } from "../../../tests/packed/harness/gx.js";

let stage: Stage, ann: Person, bee: Person;
before(async () => {
  stage = await Stage.set();
  [ann, bee] = await stage.gx.pair();
});
after(() => stage.strike());
afterEach(async () => {
  assert.deepEqual(await stage.clear(), []);
});

/** Fills the form of a payment and asks for a look at it. */
async function review(page: Page, amount: string, receiver = bee.account): Promise<void> {
  await go(page, "Send");
  await page.getByLabel("Receiver's account").fill(receiver);
  await page.getByLabel("Amount in GX").fill(amount);
  await page.getByLabel("Reference").fill("lunch");
  await page.getByRole("button", { name: "Review" }).click();
}

async function balance(page: Page, wanted: string): Promise<void> {
  await page.locator("#balance", { hasText: wanted }).waitFor();
}

test("a payment arrives in the other page without a reload, and both see it everywhere", async () => {
  const [sender, receiver] = [await stage.openFor(ann), await stage.openFor(bee)];
  await balance(sender, "500.00 GX");
  await balance(receiver, "500.00 GX");
  await receiver.evaluate(() => Object.assign(globalThis, { stays: true }));

  await review(sender, "12.5");
  await sees(sender, "Ä*** M***, DE");
  const look = sender.getByRole("dialog", { name: "Send this?" });
  for (const line of ["Ä*** M***", bee.account, "12.50 GX", "0.00625 GX", "12.50625 GX", "lunch"]) {
    await look.getByText(line, { exact: true }).first().waitFor();
  }
  await look.getByRole("button", { name: "Send 12.50 GX" }).click();
  await hasFocus(sender, "Sent 12.50 GX to Ä*** M***");

  await balance(receiver, "512.50 GX");
  await receiver.locator("#news", { hasText: "Received 12.50 GX from Ä*** M***. Your balance is 512.50 GX." }).waitFor({ state: "attached" });
  assert.equal(await receiver.evaluate(() => "stays" in globalThis), true);
  await receiver.getByRole("row", { name: "From Ä*** M*** lunch" }).getByText("+12.50").waitFor();

  await go(sender, "History");
  await sender.getByRole("row", { name: "Fee" }).getByText("−0.00625").waitFor();
  const sent = sender.getByRole("row", { name: "To Ä*** M*** lunch" });
  await sent.getByText("−12.50").waitFor();
  await sent.getByRole("link").click();
  await sees(sender, `${ann.account} (you)`);
  await sees(sender, bee.account);
  await sees(sender, "+12.50");
  await sender.getByRole("definition").getByRole("link").click();
  await sees(sender, "Previous hash");
  await sees(sender, "(you)");
});

test("the explorer shows blocks as they come, and can be held", async () => {
  const page = await stage.openFor(ann);
  await go(page, "Explorer");
  const block = await (await ann.gx.wallet.transfer(pays(ann, bee, "1"))).settled();
  await sees(page, `Latest block: ${block.block}`);
  await page.getByRole("row", { name: String(block.block) }).first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const held = await (await ann.gx.wallet.transfer(pays(ann, bee, "1"))).settled();
  await page.getByRole("button", { name: "Continue" }).click();
  await sees(page, `Latest block: ${held.block}`);

  await page.getByLabel("Block's number or transaction's id").fill("0");
  await page.getByRole("button", { name: "Show" }).click();
  await sees(page, "Block 0");
});

test("whoever sees less of a transaction is told so", async () => {
  const { block } = await (await ann.gx.wallet.transfer(pays(ann, bee, "1"))).settled();
  const stranger = await stage.openFor(await stage.gx.person());
  await stranger.evaluate((block) => (location.hash = `#/block/${block}`), String(block));
  await sees(stranger, /not yours to see/);
  assert.equal(await stranger.getByText(bee.account).count(), 0);
});

test("a wrong password is told", async () => {
  const page = await stage.open();
  await trySignIn(page, ann, "a wrong password");
  await page.getByRole("alert").getByText("The contact or the password is wrong.").waitFor();
  await signIn(page, ann);
  await balance(page, "GX");
});

test("what is wrong with a payment is told where it is wrong", async () => {
  const page = await stage.openFor(ann);
  for (const [amount, receiver, words] of [
    ["twelve", bee.account, "Write the amount in digits"],
    ["0.0000001", bee.account, "at most six digits"],
    ["1", "GX-0000-0000-0000-00000", "Nobody has this account."],
    ["1", "somebody", "This is no account"],
  ] as const) {
    await review(page, amount, receiver);
    await sees(page, words);
  }
  await review(page, "5000");
  await page.getByRole("button", { name: "Send 5,000.00 GX" }).click();
  await page.getByRole("alert").getByText(/You do not have enough .* You have [0-9.]+ GX available\./).waitFor();
});

test("a payment whose answers are lost is made once, however often it is tried", async () => {
  const person = await stage.gx.person();
  const page = await stage.open();
  await page.clock.install();
  await signIn(page, person);
  await review(page, "3");
  let lost = 0;
  const lose = async (route: Route): Promise<void> => {
    await route.fetch();
    lost += 1;
    await route.abort();
  };
  await page.route("**/Transfer", lose);
  await page.getByRole("button", { name: "Send 3.00 GX" }).click();
  while (lost === 0) await page.clock.runFor(100);
  await page.clock.fastForward("00:40");
  await sees(page, "The payment may be on its way.");
  await page.unrouteAll({ behavior: "wait" });
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Review" }).click();
  await page.getByRole("button", { name: "Send 3.00 GX" }).click();
  await sees(page, "Sent 3.00 GX");
  const { balanceQirat } = await person.gx.wallet.get(person.account);
  assert.equal(Qirat.toGx(balanceQirat), "496.9985");
  const complaints = await stage.clear();
  assert.ok(complaints.every((complaint) => complaint.includes("net::ERR_FAILED")), complaints.join());
});

test("a payment that was accepted is not told as one that was not sent", async () => {
  const person = await stage.gx.person();
  const page = await stage.openFor(person);
  await page.route("**/WaitOperation", (route) => {
    const details = [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "OVERLOADED", domain: "gx" },
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "600s" },
    ];
    const headers = { "access-control-allow-origin": stage.url };
    return route.fulfill({ status: 429, headers, json: { code: 8, message: "busy", details } });
  });
  await review(page, "4");
  await page.getByRole("button", { name: "Send 4.00 GX" }).click();
  await sees(page, "GX has accepted the payment");
  assert.equal(await page.getByText("Nothing was done").count(), 0);
  await page.unrouteAll({ behavior: "wait" });
  await page.getByRole("button", { name: "Try again" }).click();
  await sees(page, "Sent 4.00 GX");
  const { balanceQirat } = await person.gx.wallet.get(person.account);
  assert.equal(Qirat.toGx(balanceQirat), "495.998");
  assert.ok((await stage.clear()).every((complaint) => complaint.includes("429")));
});

test("no key closes the look at a payment that is under way", async () => {
  const page = await stage.openFor(ann);
  const answer = await hold(page, "**/Transfer");
  await review(page, "2");
  await page.getByRole("button", { name: "Send 2.00 GX" }).click();
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press("Escape");
  const look = page.getByRole("dialog", { name: "Send this?" });
  assert.equal(await look.evaluate((dialog) => dialog.matches(":modal")), true);
  answer();
  await sees(page, "Sent 2.00 GX");
});

test("a name stands beside its own account alone", async () => {
  const page = await stage.openFor(ann);
  const answer = await hold(page, "**/ResolveAccount");
  await go(page, "Send");
  const receiver = page.getByLabel("Receiver's account");
  const first = page.waitForResponse("**/ResolveAccount");
  await receiver.fill(bee.account);
  await receiver.blur();
  await receiver.fill("somebody");
  await receiver.blur();
  await sees(page, "This is no account");
  answer();
  await first;
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  await sees(page, "This is no account");
});

test("an address that is none is no page", async () => {
  for (const address of ["//", "/nowhere", "/?query"]) {
    const { status } = await fetch(stage.url + address);
    assert.equal(status, address === "/?query" ? 200 : 404, address);
  }
});

test("the history has pages", async () => {
  const person = await stage.gx.person();
  const payments = Array.from({ length: 21 }, () => person.gx.wallet.transfer(pays(person, bee, "0.01")));
  for (const payment of await Promise.all(payments)) await payment.settled();
  const page = await stage.openFor(person);
  await go(page, "History");
  await page.getByRole("row", { name: "To Ä*** M***" }).nth(19).waitFor();
  await page.getByRole("button", { name: "Older" }).click();
  await sees(page, "Grant");
  assert.equal(await page.getByRole("row", { name: "To Ä*** M***" }).count(), 1);
  await page.getByRole("button", { name: "Newer" }).click();
  await page.getByRole("row", { name: "To Ä*** M***" }).nth(19).waitFor();
  assert.equal(await page.getByText("Grant").count(), 0);
});

test("staff, who has no wallet, sees the ledger whole", async () => {
  const page = await stage.open();
  await signIn(page, { contact: "root" }, await stage.gx.rootPassword());
  await page.getByRole("heading", { name: "Explorer" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Wallet" }).count(), 0);
  const { block } = await (await ann.gx.wallet.transfer(pays(ann, bee, "1"))).settled();
  await page.getByRole("link", { name: String(block), exact: true }).click();
  await sees(page, bee.account);
});

test("a session that is ended elsewhere is told, and one goes on where one was", async () => {
  const person = await stage.gx.person();
  const page = await stage.openFor(person);
  await go(page, "History");
  for await (const { name, current } of person.gx.identity.sessions()) {
    if (!current) await person.gx.identity.revokeSession({ name });
  }
  await page.getByRole("alert").getByText("Your session was ended. Sign in to go on.").waitFor();
  await signIn(page, person);
  await page.getByRole("heading", { name: "History" }).waitFor();
});

test("whoever signs out has no session any more, and a reload does not bring it back", async () => {
  const person = await stage.gx.person();
  const page = await stage.openFor(person);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("alert").getByText("You are signed out.").waitFor();
  while ((await person.gx.identity.listSessions({})).sessions.length > 1);
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

test("a payment is made by keyboard alone", async () => {
  const page = await stage.open();
  const { keyboard } = page;
  await keyboard.type(ann.contact);
  await keyboard.press("Tab");
  await keyboard.type("correct horse battery");
  await keyboard.press("Enter");
  await hasFocus(page, "Wallet");
  // The skip link is behind the heading, which has the focus.
  await keyboard.press("Shift+Tab");
  await hasFocus(page, "Sign out");
  for (const room of ["Supply", "Explorer", "History", "Send"]) {
    await keyboard.press("Shift+Tab");
    await hasFocus(page, room);
  }
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Send" }).waitFor();
  await hasFocus(page, "Send");
  for (const entered of [bee.account, "2", "by keyboard"]) {
    await keyboard.press("Tab");
    await keyboard.type(entered);
  }
  await keyboard.press("Enter");
  await hasFocus(page, "Send 2.00 GX");
  await keyboard.press("Escape");
  // Not by its role, which it has no more once it is closed: the page hears of that later.
  await page.locator("dialog").waitFor({ state: "detached" });
  await keyboard.press("Enter");
  await hasFocus(page, "Send 2.00 GX");
  await keyboard.press("Enter");
  await hasFocus(page, "Sent 2.00 GX");
});

/** What axe finds that keeps somebody out. */
async function barriers(page: Page): Promise<string[]> {
  // Evaluated, it is no script of the page, whose policy would keep it out.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html} ${any[0]?.message ?? ""}`).join(" ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [size, viewport] of [
    ["wide", { width: 1180, height: 860 }],
    ["phone", { width: 360, height: 740 }],
  ] as const) {
    test(`every view is open to everybody, ${colorScheme} and ${size}`, async () => {
      const page = await stage.open({ colorScheme, viewport, reducedMotion: "reduce" });
      const looks = async (name: string): Promise<void> => {
        assert.deepEqual(await barriers(page), [], name);
        await fits(page);
        await picture(page, `${colorScheme}-${size}-${name}`);
      };
      await trySignIn(page, ann, "a wrong password");
      await page.getByRole("alert").getByText("wrong").waitFor();
      await looks("sign-in");
      await signIn(page, ann);
      await sees(page, "To Ä*** M***");
      await looks("wallet");
      await review(page, "twelve");
      await sees(page, "Write the amount");
      await looks("send-wrong");
      await review(page, "100000");
      await sees(page, "Total");
      await looks("send-look");
      await page.getByRole("button", { name: "Send 100" }).click();
      await sees(page, "You do not have enough");
      await looks("send-refused");
      await review(page, "1");
      await page.getByRole("button", { name: "Send 1.00" }).click();
      await sees(page, "Sent 1.00 GX");
      await looks("send-done");
      await go(page, "History");
      await sees(page, "To Ä*** M***");
      await looks("history");
      await page.getByRole("row", { name: "To" }).getByRole("link").first().click();
      await sees(page, "(you)");
      await looks("transaction");
      await page.getByRole("definition").getByRole("link").click();
      await sees(page, "Previous hash");
      await looks("block");
      await go(page, "Explorer");
      await sees(page, "Latest block");
      await looks("explorer");
      await go(page, "Supply");
      await sees(page, "In circulation");
      await looks("supply");
    });
  }
}
