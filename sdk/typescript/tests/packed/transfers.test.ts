/** Transfers, and how they are refused. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GxError, Qirat, Reason, newTransfer } from "@gx/sdk";
import { OperationState } from "@gx/sdk/operation";
import { Gx, PASSWORD, pays, type Person } from "./harness/gx.js";
import { Gateway } from "./harness/gateway.js";
import { refusal } from "./harness/refusal.js";

let gx: Gx, gateway: Gateway, ann: Person, bee: Person;
before(async () => {
  gx = await Gx.start();
  gateway = await Gateway.start(gx.ports);
  [ann, bee] = await gx.pair();
});
after(async () => {
  await gateway.stop();
  await gx.stop();
});

test("a transfer over gRPC-Web through the gateway is settled", async () => {
  const over = await gateway.connect().signIn(ann.contact, PASSWORD);
  const { account } = await over.identity.me();
  assert.equal(account, ann.account);
  const { balanceQirat } = await over.wallet.get(account);
  assert.equal(Qirat.toGx(balanceQirat), "500");

  const transfer = newTransfer({ account, receiver: bee.account, amountQirat: Qirat.fromGx("100") });
  const quote = await over.wallet.quote(transfer);
  assert.equal(Qirat.toGx(quote.feeQirat), "0.05");
  const pending = await over.wallet.transfer({ ...transfer, maxFeeQirat: quote.feeQirat, reference: "lunch" });
  const { block, operation } = await pending.settled();
  assert.equal(operation.state, OperationState.SUCCEEDED);

  const wallet = await bee.gx.wallet.get(bee.account, { minBlock: block });
  assert.equal(wallet.balanceQirat, Qirat.fromGx("600"));
  for await (const newest of bee.gx.wallet.entries(bee.account)) {
    assert.equal(Qirat.toGx(newest.deltaQirat), "100");
    assert.equal(newest.reference, "lunch");
    break;
  }
});

test("a transfer that is refused says why", async () => {
  const pending = await ann.gx.wallet.transfer(pays(ann, bee, "5000"));
  const refused = await refusal(pending.settled());
  assert.equal(refused.reason, Reason.INSUFFICIENT_FUNDS);
  assert.ok("available_qirat" in refused.metadata);
  assert.equal(refused.operation?.state, OperationState.REFUSED);
});

test("a wrong transfer names every field that is wrong", async () => {
  const wrong = newTransfer({ account: ann.account, receiver: "nobody", amountQirat: Qirat.ZERO });
  const over = await gateway.connect().signIn(ann.contact, PASSWORD);
  for (const client of [ann.gx, over]) {
    const refused = await refusal(client.wallet.transfer(wrong));
    assert.equal(refused.reason, Reason.INVALID_FIELD);
    assert.deepEqual(
      refused.violations.map(({ field }) => field),
      ["receiver", "amount_qirat"],
    );
    assert.ok(refused.requestId);
    assert.match(refused.message, /^INVALID_FIELD: receiver [^;]*; amount_qirat [^;]*$/);
  }
});

test("what belongs to somebody else is not found", async () => {
  const foreign = await refusal(ann.gx.wallet.get(bee.account));
  assert.equal(foreign.reason, Reason.NOT_FOUND);
  assert.equal(foreign.reasonName, "NOT_FOUND");
});

test("what is no message is not sent", async () => {
  const transfer = { ...pays(ann, bee, "1"), amountQirat: 1.5 as unknown as Qirat };
  const refused = await refusal(ann.gx.wallet.transfer(transfer));
  assert.ok(refused instanceof GxError);
  assert.match(refused.message, /^InvalidArgument: no gx.wallet.v1.TransferRequest/);
});
