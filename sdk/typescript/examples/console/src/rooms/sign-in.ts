/** Where one signs in. */

import { h } from "../dom.js";
import { Alert } from "../notice.js";
import type { View } from "../room.js";
import { field } from "../parts/field.js";
import { wordsOf } from "../words.js";

/** The room; `why` says what led here. */
export function signIn(why: string | undefined, enter: (contact: string, password: string) => Promise<void>): View {
  const contact = field("Contact", { name: "contact", autocomplete: "username", required: true, autofocus: true });
  const password = field("Password", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const alert = new Alert();
  const submit = h("button", { type: "submit" }, "Sign in");
  const form = h("form", { class: "card narrow" }, contact.element, password.element, alert.element, submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    alert.clear();
    submit.disabled = true;
    enter(contact.value(), password.value())
      .catch((failure: unknown) => {
        alert.tell(wordsOf(failure));
        password.input.value = "";
        password.input.focus();
      })
      .finally(() => (submit.disabled = false));
  });
  const led = why === undefined ? undefined : h("p", { role: "alert", class: "notice narrow" }, why);
  return { title: "Sign in", content: [led, form] };
}
