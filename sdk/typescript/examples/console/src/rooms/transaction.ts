/** One Fabric transaction, with what one may see of it. */

import { h, put } from "../dom.js";
import { count } from "../format.js";
import { blockLink, commands, validity } from "../parts/details.js";
import { facts } from "../parts/facts.js";
import type { Visit, View } from "../room.js";

export function transaction({ session, signal, subject, failed }: Visit): View {
  const place = h("div", { class: "stack", "aria-busy": "true" });
  session.gx.ledger
    .getTransaction({ name: `transactions/${subject}` }, { signal })
    .then(({ transaction }) => {
      if (!transaction) return;
      const { block, index, lane, commandCount } = transaction;
      const rows = facts([
        ["Id", h("code", { class: "long" }, subject)],
        ["Block", blockLink(block)],
        ["Place in it", count(index)],
        ["Outcome", validity(transaction)],
        ["Lane", lane === "" ? "none" : lane],
        ["Commands", count(commandCount)],
      ]);
      put(place, rows, h("h2", {}, "Commands"), ...commands(transaction, session.user.account));
    })
    .catch(failed)
    .finally(() => place.removeAttribute("aria-busy"));
  return { title: "Transaction", content: [place] };
}
