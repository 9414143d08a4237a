/** A payment: who gets how much, what it costs, and a last look before it leaves. */

import { AmountError, GxError, Qirat, Reason, newTransfer, type Settled, type Transfer } from "@gx/sdk";
import { OperationState } from "@gx/sdk/operation";
import type { Quote } from "@gx/sdk/wallet";
import { h, link, put } from "../dom.js";
import { amount, count, gx as inGx } from "../format.js";
import { Alert } from "../notice.js";
import { confirm } from "../parts/confirm.js";
import { field } from "../parts/field.js";
import { NOBODYS, NO_ACCOUNT, recognize } from "../parts/recognize.js";
import { blockAt } from "../places.js";
import type { Visit, View } from "../room.js";
import { wordsOf } from "../words.js";

export function send({ session, signal, failed }: Visit): View {
  const fields = new Fields();
  const alert = new Alert();
  const done = h("div");
  const form = h("form", { class: "card narrow" }, ...fields.elements, alert.element, h("button", { type: "submit" }, "Review"));
  let isBusy = false;
  /** What may have been sent and was not settled: the same entered again is no other payment. */
  let open: Transfer | undefined;

  const pay = async (): Promise<void> => {
    const entered = fields.read(session.user.account);
    if (!entered) return;
    const quote = await session.gx.wallet.quote(entered, { signal });
    const transfer = open && isSame(open, entered) ? open : { ...entered, maxFeeQirat: quote.feeQirat };
    open = transfer;
    const sent = await confirm({ gx: session.gx, transfer, quote, signal });
    if (!sent) return;
    open = undefined;
    form.reset();
    fields.clear();
    tell(done, transfer, quote, sent);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    alert.clear();
    put(done);
    pay()
      .catch((failure: unknown) => {
        if (isRefused(failure)) open = undefined;
        if (!fields.blame(failure)) refused(failure, alert, failed);
      })
      .finally(() => (isBusy = false));
  });
  session.wallet?.subscribe(({ wallet }) => fields.showAvailable(wallet.availableQirat), signal);
  fields.onReceiver((account) => {
    recognize(session.gx, account, signal).then((words) => fields.name(account, words), failed);
  });
  return { title: "Send", content: [form, done] };
}

/** What one enters. */
class Fields {
  /** Whom the account belongs to. */
  readonly #named = h("p", { class: "hint", role: "status" });
  readonly #available = h("p", { class: "hint" });
  readonly #receiver = field(
    "Receiver's account",
    { name: "receiver", required: true, autocomplete: "off", spellcheck: "false", autocapitalize: "characters", placeholder: "GX-XXXX-XXXX-XXXX-XXXXC" },
    this.#named,
  );
  readonly #amount = field("Amount in GX", { name: "amount", required: true, inputmode: "decimal", autocomplete: "off" }, this.#available);
  readonly #reference = field(
    "Reference",
    { name: "reference", maxlength: 140, autocomplete: "off" },
    h("p", { class: "hint" }, "You and the receiver see it."),
  );

  get elements(): HTMLElement[] {
    return [this.#receiver, this.#amount, this.#reference].map(({ element }) => element);
  }

  showAvailable(qirat: Qirat): void {
    put(this.#available, "Available: ", amount(qirat));
  }

  /** Calls `changed` when another account was entered. */
  onReceiver(changed: (account: string) => void): void {
    this.#receiver.input.addEventListener("change", () => {
      this.clear();
      const account = this.#receiver.value();
      if (account !== "") changed(account);
    });
  }

  /** Tells whom the account belongs to, unless another one was entered meanwhile. */
  name(account: string, words: string): void {
    if (account === this.#receiver.value()) put(this.#named, words);
  }

  clear(): void {
    put(this.#named);
  }

  /** The transfer that was entered; none if it is no transfer, which is told. */
  read(account: string): Transfer | undefined {
    try {
      const amountQirat = Qirat.fromGx(this.#amount.value());
      const reference = this.#reference.value();
      return newTransfer({ account, receiver: this.#receiver.value(), amountQirat, reference });
    } catch (fault) {
      if (!(fault instanceof AmountError)) throw fault;
      this.#amount.wrong(wordsOf(fault));
      return undefined;
    }
  }

  /** Tells what is wrong beside the field that it is wrong with, if it is one's. */
  blame(failure: unknown): boolean {
    if (!(failure instanceof GxError)) return false;
    const at = new Set(failure.violations.map(({ field }) => field));
    const noAccount = at.has("receiver") ? NO_ACCOUNT : failure.reason === Reason.NOT_FOUND ? NOBODYS : undefined;
    const noAmount = at.has("amount_qirat") ? "That is no amount that can be sent." : undefined;
    // What is wrong last has the focus, so the first field comes last.
    if (at.has("reference")) this.#reference.wrong("Some of this cannot be written in a reference.");
    if (noAmount !== undefined) this.#amount.wrong(noAmount);
    if (noAccount !== undefined) {
      this.clear();
      this.#receiver.wrong(noAccount);
    }
    return noAccount !== undefined || noAmount !== undefined || at.has("reference");
  }
}

/** Whether both pay the same. */
function isSame(one: Transfer, other: Transfer): boolean {
  return (["account", "receiver", "amountQirat", "reference"] as const).every((name) => one[name] === other[name]);
}

/** Whether the ledger has refused the payment, which is final. */
function isRefused(failure: unknown): boolean {
  return failure instanceof GxError && failure.operation?.state === OperationState.REFUSED;
}

/** Tells beside the form what can be mended there; anything else is the page's to tell. */
function refused(failure: unknown, alert: Alert, failed: (failure: unknown) => void): void {
  if (isRefused(failure)) alert.tell(wordsOf(failure));
  else failed(failure);
}

/** Tells what was sent, to whoever sees and to whoever listens. */
function tell(place: HTMLElement, { amountQirat, receiver }: Transfer, { receiver: who }: Quote, sent: Settled): void {
  const name = who?.maskedName ?? receiver;
  const heading = h("h2", { tabindex: -1 }, `Sent ${inGx(amountQirat)} GX to ${name}`);
  const where = link(blockAt(sent.block), `Block ${count(sent.block)}`);
  const how = h("p", {}, `${feeOf(sent)} `, where, " has the payment.");
  put(place, h("section", { class: "card narrow done" }, heading, how));
  heading.focus();
}

/** What the payment has cost, as the ledger tells. */
function feeOf({ operation: { result } }: Settled): string {
  const done = result.case === "response" ? result.value.result : undefined;
  if (done?.case !== "transfer") return "";
  const { feeQirat } = done.value;
  return feeQirat === 0n ? "There was no fee." : `The fee was ${inGx(feeQirat)} GX.`;
}
