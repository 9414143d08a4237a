/** Streams whose connections break while they are read. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GxClient, Qirat, type PendingOperation } from "@gx/sdk";
import { OperationState } from "@gx/sdk/operation";
import { Gateway } from "./harness/gateway.js";
import { Gx, PASSWORD, pays, url, type Person } from "./harness/gx.js";
import { Way } from "./harness/way.js";

let gx: Gx, ann: Person, bee: Person;
before(async () => {
  gx = await Gx.start();
});
after(() => gx.stop());

/** Pays each round, reads both streams up to it, and then breaks them. */
async function nothingIsLostOrTwice(over: GxClient, rounds: number, breaks: () => Promise<void>): Promise<void> {
  const wallet = over.wallet.watch(bee.account, { position: "0" });
  const blocks = over.ledger.follow();
  const names: string[] = [];
  let [balance, sum, next] = [0n, 0n, 0n];
  for (let round = 1; round <= rounds; round++) {
    const pending = await ann.gx.wallet.transfer(pays(ann, bee, "1"));
    const { block } = await pending.settled();
    while (balance < Qirat.fromGx(String(500 + round))) {
      const change = await read(wallet);
      for (const { name, deltaQirat } of change.entries) {
        names.push(name);
        sum += deltaQirat;
      }
      balance = change.wallet?.balanceQirat ?? balance;
    }
    for (; next <= block; next++) assert.equal((await read(blocks)).number, next);
    await breaks();
  }
  await wallet.return();
  await blocks.return();
  assert.equal(new Set(names).size, names.length);
  assert.equal(sum, balance);
  assert.equal(balance, Qirat.fromGx(String(500 + rounds)));
}

async function read<T>(stream: AsyncGenerator<T, void>): Promise<T> {
  const { done, value } = await stream.next();
  assert.ok(!done && value !== undefined, "the stream ended");
  return value;
}

test("watched wallets and blocks survive the gateway's death", async (context) => {
  [ann, bee] = await gx.pair();
  const gateway = await Gateway.start(gx.ports);
  context.after(() => gateway.stop());
  const over = await gateway.connect().signIn(bee.contact, PASSWORD);
  await nothingIsLostOrTwice(over, 3, async () => {
    await gateway.kill();
    await gateway.revive();
  });
});

test("watched wallets and blocks that are cut miss and repeat nothing", async (context) => {
  [ann, bee] = await gx.pair();
  const way = await Way.to(gx.ports.identity);
  context.after(() => {
    way.close();
  });
  const over = await GxClient.connect(url(way.port)).signIn(bee.contact, PASSWORD);
  await nothingIsLostOrTwice(over, 10, async () => {
    way.cut();
    return Promise.resolve();
  });
});

test("a watched operation shows each state once and ends", async () => {
  [ann, bee] = await gx.pair();
  const pending: PendingOperation = await ann.gx.wallet.transfer(pays(ann, bee, "1"));
  const states: OperationState[] = [];
  for await (const { state } of pending.watch()) states.push(state);
  assert.equal(new Set(states).size, states.length);
  assert.equal(states.at(-1), OperationState.SUCCEEDED);
});

test("a stream that nobody reads any more is closed", async () => {
  // One caller may have 32 at once.
  for (let streams = 0; streams < 40; streams++) {
    for await (const { wallet } of bee.gx.wallet.watch(bee.account)) {
      assert.ok(wallet);
      break;
    }
  }
});

test("a stream that nobody wants any more ends", async () => {
  const controller = new AbortController();
  for await (const { wallet } of bee.gx.wallet.watch(bee.account, { signal: controller.signal })) {
    assert.ok(wallet);
    controller.abort();
  }
});

test("a list asks for a page when its first item is wanted", async () => {
  const numbers: bigint[] = [];
  for await (const { number } of bee.gx.ledger.blocks()) numbers.push(number);
  assert.ok(numbers.length > 0);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => BigInt(numbers.length - 1 - index)),
  );
  const countries: string[] = [];
  for await (const { code } of gx.connect().tokenomics.countries()) countries.push(code);
  assert.ok(countries.length > 200, "pages follow each other");
  assert.equal(new Set(countries).size, countries.length);
});
