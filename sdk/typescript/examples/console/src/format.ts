/** How figures, times and names are written for people. */

import { Qirat, timestampDate, type QiratDelta, type Timestamp } from "@gx/sdk";
import { h } from "./dom.js";

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const WHOLE = new Intl.NumberFormat("en");

/** An amount in GX, its thousands apart and with two decimals at least: `1,234.50`. */
export function gx(qirat: Qirat | QiratDelta): string {
  const [whole = "", fraction = ""] = Qirat.toGx(qirat).split(".");
  const sign = whole.startsWith("-") ? "−" : "";
  return `${sign}${count(BigInt(whole.replace("-", "")))}.${fraction.padEnd(2, "0")}`;
}

/** The same with its unit. */
export function amount(qirat: Qirat | QiratDelta): HTMLElement {
  return h("span", { class: "amount" }, gx(qirat), " ", h("span", { class: "unit" }, "GX"));
}

/** A change, whose sign is always told. */
export function change(qirat: QiratDelta): HTMLElement {
  const isCredit = qirat > 0n;
  return h("span", { class: isCredit ? "amount credit" : "amount" }, isCredit ? "+" : "", gx(qirat));
}

/** A whole number, its thousands apart. */
export function count(number: bigint | number): string {
  return WHOLE.format(number);
}

/** A moment, as its reader's country writes it. */
export function moment(time: Timestamp | undefined): HTMLElement {
  if (!time) return h("span", {}, "—");
  const date = timestampDate(time);
  return h("time", { datetime: date.toISOString() }, DATE_TIME.format(date));
}

/** A long hexadecimal number, whose middle is left out for the eye alone. */
export function hash(digits: string): HTMLElement {
  const short = digits.length > 20 ? `${digits.slice(0, 10)}…${digits.slice(-6)}` : digits;
  return h("code", { title: digits }, short);
}

/** What the name of an enum's value says: `RECEIVER_NOT_ACTIVE` is `receiver not active`. */
export function words(name: string): string {
  return name.toLowerCase().replaceAll("_", " ");
}
