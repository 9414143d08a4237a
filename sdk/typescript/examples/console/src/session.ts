/**
 * Who is signed in. The session is kept in memory alone: nothing else in the browser can
 * read it, a reload ends it, and a tab that is duplicated has no part in it (two holders
 * of one refresh token end the session for both).
 */

import { GxClient, SessionEndedError } from "@gx/sdk";
import type { User } from "@gx/sdk/identity";
import { LiveWallet } from "./live.js";

/** One person's or member of staff's session. */
export class Session {
  readonly gx: GxClient;
  readonly user: User;
  /** The own wallet as it changes; none for whoever has no account. */
  readonly wallet: LiveWallet | undefined;
  readonly #over = new AbortController();

  private constructor(gx: GxClient, user: User) {
    this.gx = gx;
    this.user = user;
    this.wallet = user.account === "" ? undefined : new LiveWallet(gx, user.account, this.#over.signal);
  }

  /** Signs in. @throws GxError with why not. */
  static async begin(gateway: string, contact: string, password: string): Promise<Session> {
    const gx = await GxClient.connect(gateway).signIn(contact, password);
    return new Session(gx, await gx.identity.me());
  }

  /** Aborts when the session is over, for this page. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Ends it, here at once and then on the server. */
  async end(): Promise<void> {
    this.forget();
    try {
      await this.gx.signOut();
    } catch (failure) {
      // One that has ended already is what was wanted.
      if (!(failure instanceof SessionEndedError)) throw failure;
    }
  }

  /** Ends it here alone. */
  forget(): void {
    this.#over.abort();
  }
}
