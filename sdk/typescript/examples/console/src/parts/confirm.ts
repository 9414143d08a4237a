/** The last look at a payment, and what becomes of it. */

import type { GxClient, Settled, Transfer } from "@gx/sdk";
import type { Quote } from "@gx/sdk/wallet";
import { button, h, put } from "../dom.js";
import { amount, gx as inGx } from "../format.js";
import { Alert, say } from "../notice.js";
import { facts } from "./facts.js";
import { isOpen, wordsOf } from "../words.js";

/** A payment to look at. */
export interface Payment {
  readonly gx: GxClient;
  readonly transfer: Transfer;
  readonly quote: Quote;
  /** Ends the look when the room is left. */
  readonly signal: AbortSignal;
}

/**
 * Asks, and sends it where it is wanted; what was settled, or nothing if it was not sent.
 *
 * @throws GxError with why it was refused.
 */
export function confirm(payment: Payment): Promise<Settled | undefined> {
  return new Promise((resolve, reject) => {
    const dialog = new Confirmation(payment, resolve, reject);
    dialog.open();
  });
}

class Confirmation {
  readonly #payment: Payment;
  readonly #resolve: (sent: Settled | undefined) => void;
  readonly #reject: (failure: unknown) => void;
  readonly #alert = new Alert();
  readonly #send: HTMLButtonElement;
  readonly #back = button("Back", () => this.#dismiss(), { class: "quiet" });
  readonly #dialog = h("dialog", { "aria-labelledby": "confirm-title" });
  readonly #dismiss = (): void => this.#end(() => this.#resolve(undefined));
  #isUnderWay = false;
  #isOver = false;

  constructor(payment: Payment, resolve: (sent: Settled | undefined) => void, reject: (failure: unknown) => void) {
    this.#payment = payment;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#send = button(`Send ${inGx(payment.transfer.amountQirat)} GX`, () => this.#press());
  }

  open(): void {
    const { transfer, quote, signal } = this.#payment;
    const buttons = h("div", { class: "row" }, this.#send, this.#back);
    put(this.#dialog, h("h2", { id: "confirm-title" }, "Send this?"), look(transfer, quote), this.#alert.element, buttons);
    // What has left cannot be taken back by a key, and a browser that is told so closes the
    // dialog at the next key without asking.
    this.#dialog.addEventListener("cancel", (event) => {
      if (this.#isUnderWay) event.preventDefault();
    });
    this.#dialog.addEventListener("close", () => {
      if (this.#isOver) return;
      if (this.#isUnderWay) this.#dialog.showModal();
      else this.#dismiss();
    });
    signal.addEventListener("abort", this.#dismiss);
    document.getElementById("main")?.append(this.#dialog);
    this.#dialog.showModal();
  }

  #press(): void {
    if (this.#isUnderWay) return;
    this.#underWay(true);
    this.#alert.clear();
    say("Sending.");
    this.#sent()
      .then((sent) => this.#end(() => this.#resolve(sent)), (failure: unknown) => this.#failed(failure))
      .finally(() => this.#underWay(false));
  }

  async #sent(): Promise<Settled> {
    const { gx, transfer, signal } = this.#payment;
    const pending = await gx.wallet.transfer(transfer, { signal });
    return pending.settled({ signal });
  }

  #failed(failure: unknown): void {
    if (!isOpen(failure)) {
      this.#end(() => this.#reject(failure));
      return;
    }
    // A transfer has its id from the beginning, so the same one again is one payment.
    this.#alert.tell(`${wordsOf(failure)} The payment may be on its way. Trying again never sends it twice.`);
    put(this.#send, "Try again");
  }

  #underWay(is: boolean): void {
    this.#isUnderWay = is;
    this.#back.disabled = is;
    this.#send.setAttribute("aria-busy", String(is));
  }

  #end(then: () => void): void {
    this.#isOver = true;
    this.#payment.signal.removeEventListener("abort", this.#dismiss);
    // The focus goes back to where it was before.
    this.#dialog.close();
    this.#dialog.remove();
    then();
  }
}

function look({ amountQirat, receiver, reference }: Transfer, { feeQirat, totalQirat, receiver: who }: Quote): HTMLElement {
  const name = who?.maskedName ?? "";
  return facts([
    ["To", h("span", { class: "party" }, h("strong", {}, name), h("code", {}, receiver))],
    ...(reference ? [["Reference", reference] as const] : []),
    ["Amount", amount(amountQirat)],
    ["Fee", amount(feeQirat)],
    ["Total", h("strong", {}, amount(totalQirat))],
  ]);
}
