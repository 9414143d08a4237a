/** The chain, to look at and to follow. */

import { createClient, type Client } from "@connectrpc/connect";
import { withAmounts, type WithAmounts } from "./amount.js";
import type { Calls } from "./calls.js";
import { LedgerService, type Block as Message, type StreamBlocksResponse } from "./gen/gx/ledger/v1/ledger_pb.js";
import type { OperationType } from "./gen/gx/operation/v1/operation_pb.js";
import { items } from "./pages.js";
import { follow } from "./resume.js";
import { methodsOf, type CallOptions } from "./service.js";

export * from "./gen/gx/ledger/v1/ledger_pb.js";

/** A block as it was answered. */
export type Block = WithAmounts<Message>;

/** A quiet stream tells every ten seconds how far it is. */
const SILENCE_MS = 30_000;

/** Where to begin, and which commands of blocks to send; by default all from block 0. */
export interface FollowOptions extends CallOptions {
  /** The number of the first block. */
  readonly fromBlock?: bigint;
  /** Only commands that move coins of this account. */
  readonly account?: string;
  /** Only commands of these kinds. */
  readonly types?: readonly OperationType[];
}

/** The ledger, as far as whoever is signed in may see it. */
export class Ledger extends methodsOf(LedgerService) {
  readonly #client: Client<typeof LedgerService>;

  /** @internal */
  constructor(calls: Calls) {
    super(calls);
    this.#client = createClient(LedgerService, calls);
  }

  /** Blocks without their transactions, newest first. */
  blocks(options?: CallOptions): AsyncGenerator<Block, void, undefined> {
    return items(
      (page) => this.listBlocks(page, options),
      (page) => page.blocks,
    );
  }

  /**
   * Whole blocks in their order from a number on, also those to come, each once, whatever
   * becomes of the connection. With a filter, blocks without a command that fits it are
   * passed over.
   */
  follow(options: FollowOptions = {}): AsyncGenerator<Block, void, undefined> {
    const { fromBlock = 0n, account = "", types = [], signal } = options;
    const blocks = new Blocks(fromBlock, (fromBlock, signal) =>
      this.#client.streamBlocks({ fromBlock, account, types: [...types] }, { signal }),
    );
    return follow(blocks, signal);
  }
}

type Open = (fromBlock: bigint, signal: AbortSignal) => AsyncIterable<StreamBlocksResponse>;

/** Puts blocks together that come in parts. */
class Blocks {
  readonly silenceMs = SILENCE_MS;
  readonly #open: Open;
  #next: bigint;
  #gathered: Message | undefined;

  constructor(next: bigint, open: Open) {
    this.#next = next;
    this.#open = open;
  }

  open(signal: AbortSignal): AsyncIterable<StreamBlocksResponse> {
    this.#gathered = undefined;
    return this.#open(this.#next, signal);
  }

  read({ block, nextBlock }: StreamBlocksResponse): Block | undefined {
    if (block) this.#gather(block);
    this.#next = nextBlock;
    // Until its last part has come, it would be sent from its beginning again.
    if (this.#gathered && this.#gathered.number >= nextBlock) return undefined;
    const whole = this.#gathered;
    this.#gathered = undefined;
    return whole && withAmounts(whole);
  }

  #gather(part: Message): void {
    if (this.#gathered?.number === part.number) this.#gathered.transactions.push(...part.transactions);
    else this.#gathered = part;
  }
}
