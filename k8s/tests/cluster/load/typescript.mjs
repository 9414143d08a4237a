// Pays, reads, and watches the payer's wallet with the SDK for TypeScript, until the standard
// input ends; then tells how many payments there were, what failed, and what the watch
// missed or repeated. `typescript.mjs JSON`: by which protocol, where, contact, password,
// receiver.

import { once } from "node:events";
import process from "node:process";
import { GxClient, Qirat, newTransfer } from "@gx/sdk";

const [protocol, url, contact, password, receiver] = JSON.parse(process.argv[2]);
const gx = await GxClient.connect(url, { protocol }).signIn(contact, password);
const { account } = await gx.identity.me();
const failed = [];
const wrong = [];
const paid = new Set();
const watched = new Set();
let looked = () => {};

/** One payment, waited for, and a look at what is left. */
async function pay() {
  const transfer = newTransfer({ account, receiver, amountQirat: Qirat.fromGx("0.001") });
  const { feeQirat } = await gx.wallet.quote(transfer);
  const pending = await gx.wallet.transfer({ ...transfer, maxFeeQirat: feeQirat });
  const { block } = await pending.settled();
  paid.add(pending.name);
  await gx.wallet.get(account, { minBlock: block });
  await gx.identity.me();
}

/** Reads every change: no entry comes twice, and each balance is the last one with the
 * entries since. */
async function watch() {
  const entriesSeen = new Set();
  let [balance, since] = [undefined, 0n];
  for await (const { wallet, entries } of gx.wallet.watch(account)) {
    for (const { name, operation, deltaQirat } of entries) {
      if (entriesSeen.has(name)) wrong.push(`${name} came twice`);
      entriesSeen.add(name);
      watched.add(operation);
      since += deltaQirat;
    }
    if (wallet) {
      if (balance !== undefined && wallet.balanceQirat !== balance + since)
        wrong.push(`${wallet.balanceQirat} after ${balance} and ${since}`);
      [balance, since] = [wallet.balanceQirat, 0n];
    }
    looked();
  }
}

const watching = watch().catch((error) => wrong.push(`the watch ended: ${error}`));
/** Waits until the watch has seen something, or ends. */
const untilWatched = (holds) =>
  Promise.race([
    watching,
    new Promise((resolve) => {
      looked = () => holds() && resolve();
      looked();
    }),
  ]);

let stopped = false;
async function payAgainAndAgain() {
  while (!stopped) await pay().catch((error) => failed.push(`${error} ${JSON.stringify(error.metadata ?? {})}`));
}

const begun = new Promise((resolve) => (looked = resolve));
await Promise.race([begun, watching]);
const paying = payAgainAndAgain();
await untilWatched(() => watched.size > 0 || failed.length > 0);
console.log("paying");
process.stdin.resume();
await once(process.stdin, "end");
stopped = true;
await paying;
await untilWatched(() => [...paid].every((name) => watched.has(name)));
console.log(JSON.stringify({ paid: paid.size, failed, wrong }));
process.exit();
