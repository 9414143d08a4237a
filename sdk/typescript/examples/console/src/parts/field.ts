/** A field of a form: its label, what is entered, a hint, and what is wrong with it. */

import { h, put, type Attributes } from "../dom.js";

/** A field. */
export interface Field {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  /** What was entered, without white space around it; a password as it is. */
  readonly value: () => string;
  /** Tells what is wrong and leads there; without words nothing is. */
  readonly wrong: (words?: string) => void;
}

/** A field whose `name` is its id too. */
export function field(label: string, attributes: Attributes & { readonly name: string }, hint?: Element): Field {
  const id = attributes.name;
  const input = h("input", { id, type: "text", ...attributes });
  const fault = h("p", { id: `${id}-fault`, class: "fault" });
  if (hint) hint.id = `${id}-hint`;
  input.setAttribute("aria-describedby", [hint?.id, fault.id].filter(Boolean).join(" "));
  const wrong = (words?: string): void => {
    put(fault, words);
    if (words === undefined) {
      input.removeAttribute("aria-invalid");
      return;
    }
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  input.addEventListener("input", () => wrong());
  return {
    element: h("div", { class: "field" }, h("label", { for: id }, label), input, hint, fault),
    input,
    value: () => (input.type === "password" ? input.value : input.value.trim()),
    wrong,
  };
}
