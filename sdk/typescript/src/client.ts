/** The client: a way to GX, and whoever is signed in. */

import type { Transport } from "@connectrpc/connect";
import { transportTo } from "#transport";
import { Calls } from "./calls.js";
import { Identity } from "./identity.js";
import { Ledger } from "./ledger.js";
import { Operations } from "./operation.js";
import type { Session } from "./session.js";
import { Tokenomics } from "./tokenomics.js";
import type { Protocol } from "./transport/protocol.js";
import { Wallets } from "./wallet.js";

/** How to reach GX. */
export interface ConnectOptions {
  /** `grpc` in Node.js and `grpc-web` in browsers, which know no other, unless told. */
  readonly protocol?: Protocol;
}

/** A client of GX. */
export class GxClient {
  /** People and their sessions. */
  readonly identity: Identity;
  /** Balances, history, transfers. */
  readonly wallet: Wallets;
  /** What became of commands. */
  readonly operations: Operations;
  /** Supply, countries, fees. */
  readonly tokenomics: Tokenomics;
  /** The chain. */
  readonly ledger: Ledger;
  readonly #calls: Calls;

  private constructor(calls: Calls) {
    this.#calls = calls;
    this.identity = new Identity(calls);
    this.wallet = new Wallets(calls);
    this.operations = new Operations(calls);
    this.tokenomics = new Tokenomics(calls);
    this.ledger = new Ledger(calls);
  }

  /**
   * A client of the GX that answers at a URL, such as `https://gx.example.org`; `http://`
   * without encryption. It connects with its first call, and again whenever the
   * connection is lost.
   */
  static connect(url: string, options: ConnectOptions = {}): GxClient {
    return GxClient.over(transportTo(url, options.protocol));
  }

  /** A client over a transport that was made elsewhere, as for certificates of one's own. */
  static over(transport: Transport): GxClient {
    return new GxClient(new Calls(transport));
  }

  /**
   * Signs in. The client that it answers is that person's or member of staff's; this one
   * stays as it is.
   *
   * @throws GxError with CREDENTIALS_WRONG, LOGIN_LOCKED, USER_STATUS.
   */
  async signIn(contact: string, password: string): Promise<GxClient> {
    const { accessToken, refreshToken } = await new Identity(this.#calls.anonymous()).login({ contact, password });
    return this.resume({ accessToken, refreshToken });
  }

  /** A client that goes on with a session. */
  resume(session: Session): GxClient {
    return new GxClient(this.#calls.resume(session));
  }

  /** The session as it is now; none where nobody is signed in. */
  get session(): Session | undefined {
    return this.#calls.keeper?.session;
  }

  /**
   * Calls `listener`, which must not throw, after each change of the session, for whoever
   * keeps it: after an exchange the tokens before it are worth nothing. The answered
   * function ends that.
   */
  onSessionChange(listener: (session: Session) => void): () => void {
    return this.#calls.keeper?.onChange(listener) ?? (() => undefined);
  }

  /**
   * Ends the session, for all clients that share it and on the server.
   *
   * @throws GxError if the server could not be told.
   */
  async signOut(): Promise<void> {
    await this.identity.logout({});
  }

  /** The same client, whose calls may take so long, in milliseconds, with all their tries. */
  withDeadline(ms: number): GxClient {
    return new GxClient(this.#calls.withDeadline(ms));
  }
}
