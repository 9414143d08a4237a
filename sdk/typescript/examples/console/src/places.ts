/** Which address is which room. */

import type { Room } from "./room.js";
import { block } from "./rooms/block.js";
import { blocks } from "./rooms/blocks.js";
import { history } from "./rooms/history.js";
import { send } from "./rooms/send.js";
import { supply } from "./rooms/supply.js";
import { transaction } from "./rooms/transaction.js";
import { wallet } from "./rooms/wallet.js";

/** A room, and where it stands. */
interface Place {
  readonly room: Room;
  /** Which link of the bar leads there. */
  readonly name: string;
  /** Whether one needs an account there. */
  readonly isOwn: boolean;
}

const WALLET: Place = { room: wallet, name: "wallet", isOwn: true };
const BLOCKS: Place = { room: blocks, name: "blocks", isOwn: false };

const PLACES: ReadonlyMap<string, Place> = new Map([
  ["wallet", WALLET],
  ["send", { room: send, name: "send", isOwn: true }],
  ["history", { room: history, name: "history", isOwn: true }],
  ["blocks", BLOCKS],
  ["block", { room: block, name: "blocks", isOwn: false }],
  ["transaction", { room: transaction, name: "blocks", isOwn: false }],
  ["supply", { room: supply, name: "supply", isOwn: false }],
]);

/** The links of the bar, in their order. */
export const LINKS = [
  { name: "wallet", label: "Wallet", isOwn: true },
  { name: "send", label: "Send", isOwn: true },
  { name: "history", label: "History", isOwn: true },
  { name: "blocks", label: "Explorer", isOwn: false },
  { name: "supply", label: "Supply", isOwn: false },
] as const;

/** The room of an address such as `#/block/12`; the first one, if it is no room's. */
export function place(hash: string, hasAccount: boolean): Place & { readonly subject: string } {
  const [, key = "", subject = ""] = hash.split("/");
  const first = hasAccount ? WALLET : BLOCKS;
  const named = PLACES.get(key) ?? first;
  return { ...(hasAccount || !named.isOwn ? named : first), subject };
}

/** The address of a block. */
export function blockAt(number: bigint): string {
  return `#/block/${number}`;
}

/** The address of a transaction, by its id. */
export function transactionAt(id: string): string {
  return `#/transaction/${id}`;
}
