/** Where all coins are: the pools, the treasuries, and everybody else. */

import { Qirat } from "@gx/sdk";
import type { GetSupplyResponse, ListPoolsResponse } from "@gx/sdk/tokenomics";
import type { WithAmounts } from "@gx/sdk";
import { h, put, type Child } from "../dom.js";
import { amount, count, gx, words } from "../format.js";
import { level, stack, swatch, type Part } from "../parts/picture.js";
import { facts } from "../parts/facts.js";
import { row, table, type Column } from "../parts/table.js";
import type { Visit, View } from "../room.js";

type Supply = WithAmounts<GetSupplyResponse>;
type Pools = WithAmounts<ListPoolsResponse>;

const PARTS: readonly Column[] = [
  { label: "Where" },
  { label: "GX", isFigure: true },
  { label: "Share", isFigure: true, isWide: true },
];
const POOLS: readonly Column[] = [
  { label: "Pool" },
  { label: "Left, GX", isFigure: true, isWide: true },
  { label: "At the beginning, GX", isFigure: true, isWide: true },
  { label: "Left of it", isFigure: true },
];

export function supply({ session, signal, failed }: Visit): View {
  const place = h("div", { class: "stack", "aria-busy": "true" });
  const { tokenomics } = session.gx;
  Promise.all([tokenomics.getSupply({}, { signal }), tokenomics.listPools({}, { signal })])
    .then(([supply, pools]) => put(place, ...shown(supply, pools)))
    .catch(failed)
    .finally(() => place.removeAttribute("aria-busy"));
  return { title: "Supply", content: [place] };
}

function shown(supply: Supply, { pools, asOfBlock }: Pools): Child[] {
  const parts = partsOf(supply);
  const rows = parts.map((part) =>
    row(PARTS, [h("span", { class: "keyed" }, swatch(part), h("span", {}, part.name)), gx(part.qirat), percent(part.qirat, supply.maximumQirat)]),
  );
  const left = pools.map(({ account, balanceQirat, initialQirat }) =>
    row(POOLS, [
      nameOf(account),
      gx(balanceQirat),
      gx(initialQirat),
      h("span", { class: "level" }, level(balanceQirat, initialQirat), h("span", {}, percent(balanceQirat, initialQirat))),
    ]),
  );
  return [
    facts([
      ["All coins", amount(supply.maximumQirat)],
      ["In circulation", amount(supply.circulatingQirat)],
      ["In treasuries", amount(supply.treasuriesQirat)],
    ]),
    stack("Where all coins are", parts, supply.maximumQirat),
    table(`All coins at block ${count(supply.asOfBlock)}`, PARTS, h("tbody", {}, ...rows)),
    table(`Pools at block ${count(asOfBlock)}`, POOLS, h("tbody", {}, ...left)),
  ];
}

function partsOf({ pools, treasuriesQirat, circulatingQirat }: Supply): Part[] {
  const inPools = pools.map(({ account, balanceQirat }) => ({ name: nameOf(account), qirat: balanceQirat }));
  return [
    ...inPools,
    { name: "Treasuries", qirat: treasuriesQirat },
    { name: "In circulation", qirat: circulatingQirat },
  ].map((part, at) => ({ ...part, at }));
}

/** `SYSTEM_USER_GENESIS_POOL` is the user genesis pool. */
function nameOf(account: string): string {
  const name = words(account.replace(/^SYSTEM_/, "")).replace(/\bgx\b/, "GX");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** A share in per cent, never rounded up to all nor down to nothing. */
function percent(part: Qirat, whole: Qirat): string {
  if (whole === 0n) return "—";
  const hundredths = (part * 10_000n) / whole;
  if (hundredths === 0n && part > 0n) return "< 0.01 %";
  if (hundredths === 9_999n && part < whole) return "> 99.99 %";
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")} %`;
}
