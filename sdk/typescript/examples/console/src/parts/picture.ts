/** Amounts as pictures. What they show is told in a table beside them too. */

import type { Qirat } from "@gx/sdk";
import { h, svg } from "../dom.js";

/** A part of a whole. */
export interface Part {
  readonly name: string;
  readonly qirat: Qirat;
  /** Its place among the parts, by which it has its colour. */
  readonly at: number;
}

/** The width of a picture, in its own unit. */
const WIDTH = 1000;

/** What is not nothing is seen, however small it is. */
const LEAST = 6;

/** A bar of all parts beside each other. */
export function stack(title: string, parts: readonly Part[], whole: Qirat): HTMLElement {
  let from = 0;
  const pieces = parts.map(({ qirat, at }) => {
    const width = widthOf(qirat, whole);
    const piece = svg("rect", { class: `part part-${at}`, x: from, y: 0, width: Math.max(0, width - 1.5), height: 56 });
    from += width;
    return piece;
  });
  // What is too small to be seen is drawn wider, so all of it takes more than the width.
  const picture = svg(
    "svg",
    { class: "stack-picture", viewBox: `0 0 ${from} 56`, preserveAspectRatio: "none", role: "img", "aria-labelledby": "picture-title" },
    svg("title", { id: "picture-title" }, `${title}; the table that follows has the figures`),
    ...pieces,
  );
  return h("figure", {}, picture, h("figcaption", {}, title));
}

/** The colour of a part. */
export function swatch({ at }: Part): SVGElement {
  const mark = svg("rect", { class: `part part-${at}`, width: 12, height: 12, rx: 3 });
  return svg("svg", { class: "swatch", viewBox: "0 0 12 12", "aria-hidden": "true" }, mark);
}

/** How full something is. */
export function level(part: Qirat, whole: Qirat): SVGElement {
  return svg(
    "svg",
    { class: "level-picture", viewBox: `0 0 ${WIDTH} 60`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "ground", width: WIDTH, height: 60 }),
    svg("rect", { class: "filled", width: widthOf(part, whole), height: 60 }),
  );
}

function widthOf(part: Qirat, whole: Qirat): number {
  if (part === 0n || whole === 0n) return 0;
  return Math.max(LEAST, Number((part * BigInt(WIDTH) * 1000n) / whole) / 1000);
}
