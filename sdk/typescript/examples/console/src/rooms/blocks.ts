/** The newest blocks, as they come. */

import type { Block } from "@gx/sdk/ledger";
import { button, h, link, put } from "../dom.js";
import { count, moment } from "../format.js";
import { field } from "../parts/field.js";
import { row, table, type Column } from "../parts/table.js";
import { blockAt, transactionAt } from "../places.js";
import type { Visit, View } from "../room.js";

/** How many blocks are shown. */
const SHOWN = 20;

const COLUMNS: readonly Column[] = [
  { label: "Block" },
  { label: "Time" },
  { label: "Transactions", isFigure: true, isWide: true },
  { label: "Commands", isFigure: true },
];

export function blocks(visit: Visit): View {
  const { session, signal, failed } = visit;
  const state = h("p", { role: "status", class: "note" });
  const body = h("tbody");
  let newest = -1n;
  let pause: AbortController | undefined;

  const follow = async (): Promise<void> => {
    const paused = new AbortController();
    pause = paused;
    hold.disabled = false;
    const either = AbortSignal.any([signal, paused.signal]);
    for await (const block of session.gx.ledger.follow({ fromBlock: newest + 1n, signal: either })) {
      newest = block.number;
      body.prepend(blockRow(block));
      body.rows[SHOWN]?.remove();
      put(state, `Latest block: ${count(newest)}`);
    }
  };
  const begin = async (): Promise<void> => {
    const { blocks, asOfBlock } = await session.gx.ledger.listBlocks({ pageSize: SHOWN }, { signal });
    newest = blocks[0]?.number ?? asOfBlock - 1n;
    put(body, ...blocks.map(blockRow));
    put(state, `Latest block: ${count(newest)}`);
    await follow();
  };
  // What moves by itself can be held.
  const hold = button("Pause", () => {
    const goesOn = pause?.signal.aborted ?? false;
    hold.textContent = goesOn ? "Pause" : "Continue";
    if (goesOn) follow().catch(failed);
    else pause?.abort();
  }, { class: "quiet", disabled: true });
  begin().catch(failed);
  return {
    title: "Explorer",
    content: [search(), h("div", { class: "row" }, state, hold), table("Blocks, newest first", COLUMNS, body)],
  };
}

function blockRow({ number, time, transactionCount, commandCount }: Block): HTMLTableRowElement {
  return row(COLUMNS, [link(blockAt(number), count(number)), moment(time), count(transactionCount), count(commandCount)]);
}

/** Leads to a block by its number, or to a transaction by its id. */
function search(): HTMLElement {
  const wanted = field("Block's number or transaction's id", { name: "wanted", spellcheck: "false", autocomplete: "off" });
  const form = h("form", { class: "row", role: "search" }, wanted.element, h("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = wanted.value().toLowerCase();
    if (/^[0-9]{1,18}$/.test(text)) location.hash = blockAt(BigInt(text));
    else if (/^[0-9a-f]{64}$/.test(text)) location.hash = transactionAt(text);
    else wanted.wrong("A block has a number, a transaction 64 hexadecimal digits.");
  });
  return form;
}
