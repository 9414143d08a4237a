// Blocks that come in parts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createRouterTransport } from "@connectrpc/connect";
import { GxClient } from "../dist/index.js";
import { LedgerService } from "../dist/ledger.js";

const part = (number, transaction, nextBlock) => ({
  block: { number, transactions: [{ name: transaction }] },
  nextBlock,
});

test("a block in parts comes whole, also behind blocks that were passed over", async () => {
  const asked = [];
  const transport = createRouterTransport(({ service }) => {
    service(LedgerService, {
      async *streamBlocks({ fromBlock }) {
        asked.push(fromBlock);
        yield part(100n, "a", 100n);
        // The first time it breaks off between the parts.
        if (asked.length === 1) return;
        yield part(100n, "b", 101n);
        yield part(101n, "c", 102n);
      },
    });
  });
  const seen = [];
  for await (const { number, transactions } of GxClient.over(transport).ledger.follow({ fromBlock: 5n })) {
    seen.push([number, ...transactions.map(({ name }) => name)]);
    if (number === 101n) break;
  }
  assert.deepEqual(seen, [
    [100n, "a", "b"],
    [101n, "c"],
  ]);
  assert.deepEqual(asked, [5n, 100n]);
});
