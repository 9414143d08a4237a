/** The bar above every room. */

import { button, h, type Child } from "./dom.js";
import { LINKS } from "./places.js";
import type { Session } from "./session.js";

/** Who is signed in, and where. */
interface Here {
  readonly session: Session;
  readonly current: string;
  readonly signOut: () => void;
}

/** What stands in the bar; without links where nobody is signed in. */
export function bar(here?: Here): Child[] {
  const brand = h("span", { class: "brand" }, h("img", { src: "/icon.svg", alt: "", width: 28, height: 28 }), "GX");
  if (!here) return [brand];
  const { session, current, signOut } = here;
  const hasAccount = session.wallet !== undefined;
  const links = LINKS.filter(({ isOwn }) => hasAccount || !isOwn).map(({ name, label }) =>
    h("li", {}, h("a", { href: `#/${name}`, "aria-current": name === current ? "page" : undefined }, label)),
  );
  return [
    brand,
    h("nav", { "aria-label": "Rooms" }, h("ul", {}, ...links)),
    h("div", { class: "who" }, h("span", {}, session.user.contact), button("Sign out", signOut, { class: "quiet" })),
  ];
}
