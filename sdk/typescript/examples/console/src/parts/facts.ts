/** A list of names and what they stand for. */

import { h, type Child } from "../dom.js";

export function facts(rows: readonly (readonly [name: string, value: Child])[]): HTMLDListElement {
  return h("dl", { class: "facts" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
