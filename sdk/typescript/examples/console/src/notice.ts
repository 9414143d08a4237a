/** What is told outside of the order of reading: by voice, and beside a form. */

import { h, put } from "./dom.js";

/** Says something to whoever cannot see that it happened. */
export function say(words: string): void {
  const news = document.getElementById("news");
  if (news) news.textContent = words;
}

/** A place for what went wrong; it is spoken when it is told. */
export class Alert {
  readonly element = h("div", { role: "alert", class: "alert" });

  tell(words: string): void {
    put(this.element, h("p", {}, words));
  }

  clear(): void {
    put(this.element);
  }
}
