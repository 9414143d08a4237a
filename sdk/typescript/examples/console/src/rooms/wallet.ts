/** The own wallet: what is in it now, and what came last. */

import { WalletStatus, type Wallet } from "@gx/sdk/wallet";
import { button, h, link, put, type Child } from "../dom.js";
import { amount, words } from "../format.js";
import type { Change } from "../live.js";
import { say } from "../notice.js";
import { COLUMNS, entryRow } from "../parts/entries.js";
import { table } from "../parts/table.js";
import type { Visit, View } from "../room.js";

/** How many entries are shown; the others stand in the history. */
const LATEST = 5;

export function wallet({ session, signal, failed }: Visit): View {
  const account = session.user.account;
  const balance = h("p", { class: "balance", id: "balance" }, "…");
  const held = h("p", { class: "held" });
  const body = h("tbody");

  let shown = 0n;

  const read = async (minBlock: bigint): Promise<void> => {
    const page = await session.gx.wallet.listEntries({ account, pageSize: LATEST, minBlock }, { signal });
    // A later answer may have come before.
    if (page.asOfBlock < shown) return;
    shown = page.asOfBlock;
    put(body, ...page.entries.map(entryRow));
  };
  const show = ({ wallet, entries, asOfBlock }: Change): void => {
    put(balance, amount(wallet.balanceQirat));
    put(held, ...notes(wallet));
    if (entries.length === 0) return;
    flash(balance);
    read(asOfBlock).catch(failed);
  };
  read(0n).catch(failed);
  session.wallet?.subscribe(show, signal);

  const copy = button("Copy", () => void navigator.clipboard.writeText(account).then(() => say("Copied.")).catch(failed), {
    class: "quiet",
    "aria-label": "Copy the account",
  });
  const card = h(
    "section",
    { class: "card", "aria-labelledby": "balance-name" },
    h("h2", { id: "balance-name" }, "Balance"),
    balance,
    held,
    h("p", { class: "account" }, h("code", {}, account), copy),
    link("#/send", "Send"),
  );
  card.querySelector("a")?.classList.add("press");
  return { title: "Wallet", content: [card, table("Latest entries", COLUMNS, body), link("#/history", "All entries")] };
}

/** What else there is to know of a wallet than its balance. */
function notes({ reservedQirat, availableQirat, status }: Wallet): Child[] {
  if (status !== WalletStatus.ACTIVE) return [`This wallet is ${words(WalletStatus[status])}.`];
  if (reservedQirat === 0n) return [];
  return [amount(reservedQirat), " on its way, ", amount(availableQirat), " available"];
}

/** Shows that something has changed, where motion is welcome. */
function flash(element: Element): void {
  element.classList.remove("changed");
  requestAnimationFrame(() => {
    element.classList.add("changed");
  });
}
