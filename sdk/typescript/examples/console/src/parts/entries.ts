/** Entries of a wallet, a row each. */

import { EntryKind, type Entry } from "@gx/sdk/wallet";
import { h, link } from "../dom.js";
import { change, moment, words } from "../format.js";
import { transactionAt } from "../places.js";
import { row, type Column } from "./table.js";

export const COLUMNS: readonly Column[] = [{ label: "Entry" }, { label: "GX", isFigure: true }];

/** What brought coins, oldest first. */
export function creditsOf(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ deltaQirat }) => deltaQirat > 0n);
}

/** What an entry is, to be read behind its amount: `from A*** B***`. */
export function sentence({ kind, deltaQirat, counterparty }: Entry): string {
  if (kind !== EntryKind.TRANSFER) return `as ${words(EntryKind[kind])}`;
  return `${deltaQirat > 0n ? "from" : "to"} ${nameOf(counterparty)}`;
}

/** The row of an entry; it leads to the transaction that has it. */
export function entryRow(entry: Entry): HTMLTableRowElement {
  const { kind, reference, fabricTxId, time } = entry;
  // The fee has its transfer's reference; once is enough.
  const told = kind === EntryKind.FEE || reference === "" ? undefined : h("span", {}, reference);
  const entered = h(
    "div",
    { class: "entry" },
    link(transactionAt(fabricTxId), title(entry)),
    h("small", {}, told, moment(time)),
  );
  return row(COLUMNS, [entered, change(entry.deltaQirat)]);
}

function title({ kind, deltaQirat, counterparty }: Entry): string {
  if (kind === EntryKind.TRANSFER) return `${deltaQirat > 0n ? "From" : "To"} ${nameOf(counterparty)}`;
  const name = words(EntryKind[kind]);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function nameOf(counterparty: Entry["counterparty"]): string {
  if (!counterparty) return "nobody";
  return counterparty.maskedName === "" ? counterparty.account : counterparty.maskedName;
}
