/** Balances, history, transfers. */

import { equals } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";
import { withAmounts, type Qirat, type WithAmounts } from "./amount.js";
import type { Calls } from "./calls.js";
import { missing, toldBy } from "./error.js";
import {
  WalletSchema,
  WalletService,
  type BatchedTransferResult,
  type Entry as EntryMessage,
  type QuoteTransferResponse,
  type Wallet as WalletMessage,
  type WatchWalletResponse,
} from "./gen/gx/wallet/v1/wallet_pb.js";
import { items } from "./pages.js";
import type { Operation } from "./pending.js";
import { SILENCE_MS, follow } from "./resume.js";
import { methodsOf, type CallOptions } from "./service.js";

export * from "./gen/gx/wallet/v1/wallet_pb.js";

/** A wallet as it was answered. */
export type Wallet = WithAmounts<WalletMessage>;
/** An entry as it was answered. */
export type Entry = WithAmounts<EntryMessage>;
/** What a transfer would cost now. */
export type Quote = WithAmounts<QuoteTransferResponse>;
/** A change of a watched wallet. */
export type WalletChange = WithAmounts<WatchWalletResponse>;

/** A transfer to make. However often the same one is sent, it is one transfer. */
export interface Transfer {
  /** The sending account, one of one's own. */
  readonly account: string;
  /** The receiving account. */
  readonly receiver: string;
  readonly amountQirat: Qirat;
  /** The most that may be taken as fee: what the quote named. Without it none may. */
  readonly maxFeeQirat?: Qirat;
  /** What both sides read in their history, up to 140 characters. */
  readonly reference?: string;
  /** A UUID. One that was kept makes it the transfer that was sent under it before. */
  readonly requestId: string;
}

/** A transfer, which has its requestId from the beginning. */
export function newTransfer(transfer: Omit<Transfer, "requestId">): Transfer {
  return Object.freeze({ ...transfer, requestId: crypto.randomUUID() });
}

/** The wallets of the account holder who is signed in. */
export class Wallets extends methodsOf(WalletService) {
  readonly #client: Client<typeof WalletService>;

  /** @internal */
  constructor(calls: Calls) {
    super(calls);
    this.#client = createClient(WalletService, calls);
  }

  /**
   * One wallet: as it is now, or with the effects of `minBlock` at least, such as that in
   * which one's own transfer was settled.
   *
   * @throws GxError with NOT_FOUND, if it is not one's own; with STALE_READ, if the block
   * does not come within five seconds.
   */
  async get(account: string, options: CallOptions & { readonly minBlock?: bigint } = {}): Promise<Wallet> {
    const { minBlock = 0n } = options;
    const { wallet } = await this.getWallet({ account, minBlock }, options);
    if (!wallet) throw missing("wallet");
    return wallet;
  }

  /**
   * What a transfer would cost now, and who would receive it.
   *
   * @throws GxError with NOT_FOUND, if the sender is not one's own or the receiver does
   * not exist.
   */
  quote(
    { account, receiver, amountQirat }: Pick<Transfer, "account" | "receiver" | "amountQirat">,
    options?: CallOptions,
  ): Promise<Quote> {
    return this.quoteTransfer({ account, receiver, amountQirat }, options);
  }

  /** A wallet's entries, newest first. */
  entries(account: string, options?: CallOptions): AsyncGenerator<Entry, void, undefined> {
    return items(
      (page) => this.listEntries({ account, ...page }, options),
      (page) => page.entries,
    );
  }

  /**
   * Follows a wallet: as it is now, then each change with its entries, oldest first, each
   * once, whatever becomes of the connection. To go on with one that another process
   * followed, give its last `position`; without one it begins now, with `0` at the first
   * entry.
   */
  watch(
    account: string,
    options: CallOptions & { readonly position?: string } = {},
  ): AsyncGenerator<WalletChange, void, undefined> {
    const { signal } = options;
    let position = options.position ?? "";
    let last: WalletMessage | undefined;
    const changes = {
      silenceMs: SILENCE_MS,
      open: (signal: AbortSignal) => this.#client.watchWallet({ account, position }, { signal }),
      read: (answer: WatchWalletResponse): WalletChange | undefined => {
        const { wallet, entries } = answer;
        position = answer.position;
        // A quiet stream only tells where to go on, and one that is opened again begins
        // with the wallet as it was seen last.
        const isKnown = !wallet || (last !== undefined && equals(WalletSchema, wallet, last));
        if (entries.length === 0 && isKnown) return undefined;
        last = wallet ?? last;
        return withAmounts(answer);
      },
    };
    return follow(changes, signal);
  }
}

/**
 * The operation of one transfer of a batch.
 *
 * @throws GxError with the reason why it has none; after UNAVAILABLE it may have been
 * taken.
 */
export function operationOf({ result }: WithAmounts<BatchedTransferResult>): Operation {
  if (result.case === "operation") return result.value;
  throw result.case === "error" ? toldBy(result.value) : missing("result");
}
