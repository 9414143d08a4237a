/** The console: who is signed in, and which room is shown. */

import { SessionEndedError } from "@gx/sdk";
import { bar } from "./bar.js";
import { h, put } from "./dom.js";
import type { Change } from "./live.js";
import { Alert, say } from "./notice.js";
import { place } from "./places.js";
import type { View } from "./room.js";
import { signIn } from "./rooms/sign-in.js";
import { Session } from "./session.js";
import { gx } from "./format.js";
import { creditsOf, sentence } from "./parts/entries.js";
import { wordsOf } from "./words.js";

/** The one page. */
export class Console {
  readonly #gateway: string;
  readonly #bar = document.getElementById("bar") ?? document.body;
  readonly #main = document.getElementById("main") ?? document.body;
  #session: Session | undefined;
  #visit = new AbortController();

  constructor(gateway: string) {
    this.#gateway = gateway;
  }

  /** Shows where one signs in; from then on the address says what is shown. */
  begin(): void {
    window.addEventListener("hashchange", () => {
      if (this.#session) this.#enter(this.#session);
    });
    // A skip link leads to the content, and to no other room.
    document.querySelector(".skip")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#main.focus();
    });
    this.#leave();
  }

  /** Nobody is signed in; `why` says what ended the session. */
  #leave(why?: string): void {
    this.#session = undefined;
    put(this.#bar, ...bar());
    this.#show(signIn(why, (contact, password) => this.#signIn(contact, password)));
  }

  async #signIn(contact: string, password: string): Promise<void> {
    const session = await Session.begin(this.#gateway, contact, password);
    this.#session = session;
    session.wallet?.subscribe(told, session.signal);
    this.#enter(session);
  }

  #enter(session: Session): void {
    const { room, name, subject } = place(location.hash, session.wallet !== undefined);
    const visit = this.#begun();
    put(this.#bar, ...bar({ session, current: name, signOut: () => this.#signOut(session) }));
    const failed = (failure: unknown): void => {
      if (!visit.aborted) this.#failed(session, failure);
    };
    this.#show(room({ session, signal: visit, subject, failed }), visit);
    // After a long outage it begins again with the next room.
    session.wallet?.follow().catch((failure: unknown) => {
      this.#failed(session, failure);
    });
  }

  /** The signal of a visit that begins; the one before is over. */
  #begun(): AbortSignal {
    this.#visit.abort();
    this.#visit = new AbortController();
    return this.#visit.signal;
  }

  #show({ title, content }: View, visit = this.#begun()): void {
    const heading = h("h1", { tabindex: -1 }, title);
    document.title = `${title} · GX`;
    if (visit.aborted) return;
    put(this.#main, heading, ...content);
    window.scrollTo(0, 0);
    // Whoever reads by voice or goes by keyboard begins where the room begins.
    (this.#main.querySelector<HTMLElement>("[autofocus]") ?? heading).focus();
  }

  #signOut(session: Session): void {
    session.end().catch((failure: unknown) => {
      this.#leave(`You are signed out here, but GX could not be told: ${wordsOf(failure)}`);
    });
    this.#leave("You are signed out.");
  }

  #failed(session: Session, failure: unknown): void {
    // What is still under way when a session ends fails with it.
    if (session !== this.#session) return;
    if (failure instanceof SessionEndedError) {
      session.forget();
      this.#leave(wordsOf(failure));
      return;
    }
    // The last word is enough.
    this.#main.querySelector(":scope > .alert")?.remove();
    const alert = new Alert();
    this.#main.querySelector("h1")?.after(alert.element);
    alert.tell(wordsOf(failure));
  }
}

/** Says what has come; what one sends oneself is told where it is sent. */
function told({ wallet, entries }: Change): void {
  const credits = creditsOf(entries).map((entry) => `${gx(entry.deltaQirat)} GX ${sentence(entry)}`);
  if (credits.length > 0) say(`Received ${credits.join(", ")}. Your balance is ${gx(wallet.balanceQirat)} GX.`);
}
