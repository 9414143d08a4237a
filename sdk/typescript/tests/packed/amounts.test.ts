/** Amounts, which nobody can mistake for GX or for plain numbers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AmountError, Qirat, newTransfer, type AmountFault, type QiratDelta, type Wallets } from "@gx/sdk";

test("amounts in GX are read to the Qirat", () => {
  for (const [gx, qirat] of [
    ["0", 0n],
    ["1", 1_000_000n],
    ["12.5", 12_500_000n],
    ["0.000001", 1n],
    ["007.10", 7_100_000n],
    ["18446744073709.551615", 2n ** 64n - 1n],
    ["1250000000000", Qirat.MAXIMUM],
  ] as const) {
    assert.equal(Qirat.fromGx(gx), qirat, gx);
  }
});

test("what is no amount in GX is refused", () => {
  for (const [gx, fault] of [
    ["", "NOT_DECIMAL"],
    [".5", "NOT_DECIMAL"],
    ["5.", "NOT_DECIMAL"],
    ["-1", "NOT_DECIMAL"],
    ["+1", "NOT_DECIMAL"],
    ["1,5", "NOT_DECIMAL"],
    ["1e3", "NOT_DECIMAL"],
    ["0x10", "NOT_DECIMAL"],
    [" 1", "NOT_DECIMAL"],
    ["1\n", "NOT_DECIMAL"],
    ["1.5.0", "NOT_DECIMAL"],
    ["٣", "NOT_DECIMAL"],
    ["0.0000001", "TOO_FINE"],
    ["18446744073709.551616", "TOO_LARGE"],
    ["99999999999999999999", "TOO_LARGE"],
  ] as const) {
    assert.equal(faultOf(() => Qirat.fromGx(gx)), fault, JSON.stringify(gx));
  }
  assert.equal(faultOf(() => Qirat.subtract(Qirat.ZERO, Qirat.of(1n))), "NEGATIVE");
  assert.equal(faultOf(() => Qirat.add(Qirat.of(2n ** 64n - 1n), Qirat.of(1n))), "TOO_LARGE");
});

test("amounts are written as they are read", () => {
  for (const gx of ["0", "1", "12.5", "0.000001", "18446744073709.551615"]) {
    assert.equal(Qirat.toGx(Qirat.fromGx(gx)), gx);
  }
  assert.equal(Qirat.toGx(-12_500_000n as QiratDelta), "-12.5");
  assert.equal(Qirat.toGx(-1n as QiratDelta), "-0.000001");
});

// The compiler has checked it when this file runs.
export function onlyAmountsAreAmounts(wallet: Wallets, amount: Qirat, delta: QiratDelta): void {
  const ends = { account: "GX-1", receiver: "GX-2" };
  newTransfer({ ...ends, amountQirat: amount });
  // @ts-expect-error: nobody knows what a plain number counts
  newTransfer({ ...ends, amountQirat: 12n });
  // @ts-expect-error: no floats
  newTransfer({ ...ends, amountQirat: 12.5 });
  // @ts-expect-error: a change of a balance is no amount
  newTransfer({ ...ends, amountQirat: delta });
  // @ts-expect-error: what was calculated is checked before it is an amount
  newTransfer({ ...ends, amountQirat: amount + amount });
  // @ts-expect-error: a command has its request_id
  void wallet.transfer({ ...ends, amountQirat: amount });
}

function faultOf(work: () => unknown): AmountFault | undefined {
  try {
    work();
  } catch (failure) {
    if (failure instanceof AmountError) return failure.fault;
  }
  return undefined;
}
