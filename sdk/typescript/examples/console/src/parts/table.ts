/** A table with a caption and a head. */

import { h, type Child } from "../dom.js";

/** A column; figures stand at its right. */
export interface Column {
  readonly label: string;
  readonly isFigure?: boolean;
  /** Whether narrow screens leave it out. */
  readonly isWide?: boolean;
}

/** A table whose rows are put into its body. */
export function table(caption: string, columns: readonly Column[], body: HTMLTableSectionElement): HTMLElement {
  const head = columns.map((column) => h("th", { scope: "col", class: classOf(column) }, column.label));
  return h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, ...head)), body);
}

/** A row, whose first cell names it. */
export function row(columns: readonly Column[], cells: readonly Child[]): HTMLTableRowElement {
  return h(
    "tr",
    {},
    ...cells.map((cell, at) => {
      const attributes = { class: columns[at] && classOf(columns[at]) };
      return at === 0 ? h("th", { scope: "row", ...attributes }, cell) : h("td", attributes, cell);
    }),
  );
}

function classOf({ isFigure = false, isWide = false }: Column): string | undefined {
  const names = [isFigure && "figure", isWide && "wide"].filter(Boolean);
  return names.length > 0 ? names.join(" ") : undefined;
}
