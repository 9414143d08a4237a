/** The chain, to look at and to follow. */

import { createClient, type Client } from "@connectrpc/connect";
import { withAmounts, type WithAmounts } from "./amount.js";
import type { Calls } from "./calls.js";
import { LedgerService, type Block as Message, type StreamBlocksResponse } from "./gen/gx/ledger/v1/ledger_pb.js";
import type { OperationType } from "./gen/gx/operation/v1/operation_pb.js";
import { items } from "./pages.js";
import { SILENCE_MS, follow } from "./resume.js";
import { methodsOf, type CallOptions } from "./service.js";

export * from "./gen/gx/ledger/v1/ledger_pb.js";

/** A block as it was answered. */
export type Block = WithAmounts<Message>;

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
    const { account = "", types = [], signal } = options;
    let next = options.fromBlock ?? 0n;
    /** What has come of a block that comes in parts. */
    let gathered: Message | undefined;
    const blocks = {
      silenceMs: SILENCE_MS,
      open: (signal: AbortSignal) => {
        gathered = undefined;
        return this.#client.streamBlocks({ fromBlock: next, account, types: [...types] }, { signal });
      },
      read: ({ block, nextBlock }: StreamBlocksResponse): Block | undefined => {
        if (block && block.number === gathered?.number) gathered.transactions.push(...block.transactions);
        else gathered = block ?? gathered;
        next = nextBlock;
        // Until its last part has come, it would be sent from its beginning again.
        if (!gathered || gathered.number >= next) return undefined;
        const whole = gathered;
        gathered = undefined;
        return withAmounts(whole);
      },
    };
    return follow(blocks, signal);
  }
}
