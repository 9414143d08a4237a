/** The own wallet, as it changes: one stream for all rooms that show it. */

import type { GxClient } from "@gx/sdk";
import type { Entry, Wallet } from "@gx/sdk/wallet";

/** What has changed: the wallet, and the entries that it came from, oldest first. */
export interface Change {
  readonly wallet: Wallet;
  readonly entries: readonly Entry[];
  /** A read with this `minBlock` sees them. */
  readonly asOfBlock: bigint;
}

/** Whoever wants to know. */
type Listener = (change: Change) => void;

/** A wallet that is watched as long as its session lasts. */
export class LiveWallet {
  readonly account: string;
  readonly #gx: GxClient;
  readonly #over: AbortSignal;
  readonly #listeners = new Set<Listener>();
  #isFollowed = false;
  #position = "";
  #last: Change | undefined;

  constructor(gx: GxClient, account: string, over: AbortSignal) {
    this.account = account;
    this.#gx = gx;
    this.#over = over;
  }

  /**
   * Follows the wallet, unless it is followed already, from where it was until the session
   * is over. @throws GxError with what else ends it.
   */
  async follow(): Promise<void> {
    if (this.#isFollowed) return;
    this.#isFollowed = true;
    try {
      const options = { position: this.#position, signal: this.#over };
      for await (const { entries, asOfBlock, position, ...change } of this.#gx.wallet.watch(this.account, options)) {
        this.#position = position;
        const wallet = change.wallet ?? this.#last?.wallet;
        if (!wallet) continue;
        this.#last = { wallet, entries, asOfBlock };
        for (const listener of this.#listeners) listener(this.#last);
      }
    } finally {
      this.#isFollowed = false;
    }
  }

  /** Tells the wallet as it is, once it is known, and each change until `signal` ends it. */
  subscribe(listener: Listener, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => void this.#listeners.delete(listener));
    if (this.#last) listener({ ...this.#last, entries: [] });
  }
}
