/** What a transaction of the ledger has done, as far as one may see it. */

import { EntryKind } from "@gx/sdk/wallet";
import { CommandOutcome, type Block } from "@gx/sdk/ledger";
import { OperationType } from "@gx/sdk/operation";
import { h, link, type Child } from "../dom.js";
import { change, count, words } from "../format.js";
import { row, table, type Column } from "./table.js";

/** A transaction as it was answered. */
export type Transaction = Block["transactions"][number];
type Command = Transaction["commands"][number];

const COLUMNS: readonly Column[] = [
  { label: "Account" },
  { label: "Why", isWide: true },
  { label: "GX", isFigure: true },
];

/** Fabric's word for a transaction that took effect. */
const VALID = 0;

/** Whether it took effect. */
export function validity({ validationCode }: Transaction): string {
  return validationCode === VALID ? "valid" : `not valid (Fabric's code ${validationCode})`;
}

/** The commands that one may see, and how many there are besides. */
export function commands(transaction: Transaction, own: string): Child[] {
  const { commands, commandCount } = transaction;
  const hidden = commandCount - commands.length;
  const note =
    hidden === 0
      ? undefined
      : h("p", { class: "note" }, `${count(hidden)} ${hidden === 1 ? "command is" : "commands are"} not yours to see.`);
  return [...commands.map((command) => card(command, own)), note];
}

function card(command: Command, own: string): HTMLElement {
  const { type, outcome, reason, postings } = command;
  const outcomeWords = reason === "" ? words(CommandOutcome[outcome]) : `${words(CommandOutcome[outcome])}: ${words(reason)}`;
  const rows = postings.map(({ account, deltaQirat, kind }) =>
    row(COLUMNS, [
      h("code", {}, account, account === own ? " (you)" : undefined),
      words(EntryKind[kind]),
      change(deltaQirat),
    ]),
  );
  return h(
    "section",
    { class: "card" },
    h("h3", {}, `${words(OperationType[type])}, ${outcomeWords}`),
    rows.length === 0
      ? h("p", { class: "note" }, "It moved no coins.")
      : table("Changes of balances", COLUMNS, h("tbody", {}, ...rows)),
  );
}

/** A link to a block, as long as there may be one. */
export function blockLink(number: bigint): Child {
  return link(`#/block/${number}`, count(number));
}
