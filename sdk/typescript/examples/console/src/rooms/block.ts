/** One block, with its transactions. */

import type { Block } from "@gx/sdk/ledger";
import { h, link, put, type Child } from "../dom.js";
import { count, hash, moment } from "../format.js";
import { commands, validity, type Transaction } from "../parts/details.js";
import { facts } from "../parts/facts.js";
import { transactionAt } from "../places.js";
import type { Visit, View } from "../room.js";

export function block({ session, signal, subject, failed }: Visit): View {
  const place = h("div", { class: "stack", "aria-busy": "true" });
  const own = session.user.account;
  session.gx.ledger
    .getBlock({ name: `blocks/${subject}` }, { signal })
    .then(({ block, asOfBlock }) => block && put(place, ...shown(block, asOfBlock, own)))
    .catch(failed)
    .finally(() => place.removeAttribute("aria-busy"));
  return { title: `Block ${subject}`, content: [place] };
}

function shown(block: Block, last: bigint, own: string): Child[] {
  const { number } = block;
  const before = number > 0n ? link(`#/block/${number - 1n}`, "Block before") : undefined;
  const after = number < last ? link(`#/block/${number + 1n}`, "Block after") : undefined;
  return [
    facts([
      ["Time", moment(block.time)],
      ["Transactions", `${count(block.transactionCount)}, valid ${count(block.validTransactionCount)}`],
      ["Commands", count(block.commandCount)],
      ["Hash", hash(block.hash)],
      ["Previous hash", hash(block.previousHash)],
      ["Data hash", hash(block.dataHash)],
    ]),
    h("nav", { "aria-label": "Blocks", class: "pages" }, before, after),
    ...block.transactions.flatMap((transaction) => section(transaction, own)),
  ];
}

function section(transaction: Transaction, own: string): Child[] {
  const id = transaction.name.replace("transactions/", "");
  return [
    h("h2", {}, `Transaction ${count(transaction.index)}`),
    h(
      "p",
      {},
      id === "" ? "without a readable id" : link(transactionAt(id), hash(id)),
      `, ${validity(transaction)}`,
      transaction.lane === "" ? undefined : `, lane ${transaction.lane}`,
    ),
    ...commands(transaction, own),
  ];
}

