/**
 * Sessions: the tokens of one, and their one keeper, who exchanges them once however
 * many callers find at the same time that they have expired.
 */

import { Reason, errorOf, type GxError, type SessionEndedError } from "./error.js";

/**
 * What one needs to go on with a session, in another process too. Whoever has it has
 * the session: keep it as a password is kept.
 */
export interface Session {
  /** What calls carry; may be empty, then it is got before the first call. */
  readonly accessToken: string;
  /**
   * What the next tokens are got for, once; empty means that the session ends with its
   * access token.
   */
  readonly refreshToken: string;
}

/** Asks for the tokens after a refresh token. */
export type Exchange = (refreshToken: string, requestId: string) => Promise<Session>;

/** The access token of one moment. */
export interface Pass {
  readonly token: string;
  /** How many exchanges came before it. */
  readonly generation: number;
}

/** Keeps a session's tokens for all handles of a client. */
export class Keeper {
  readonly #exchange: Exchange;
  readonly #listeners = new Set<(session: Session) => void>();
  #session: Session;
  #generation = 0;
  #stale: boolean;
  /**
   * Made once an exchange, and kept until it has succeeded, so that a lost answer is
   * asked for again instead of being taken for a thief's.
   */
  #requestId: string | undefined;
  #flight: Promise<void> | undefined;
  #ended: SessionEndedError | undefined;

  constructor(session: Session, exchange: Exchange) {
    this.#session = session;
    this.#stale = session.accessToken === "";
    this.#exchange = exchange;
  }

  get session(): Session {
    return this.#session;
  }

  /** Calls `listener` after each exchange, until the answered function is called. */
  onChange(listener: (session: Session) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * The token to call with, which is got first where there is none that is worth
   * anything; all who ask meanwhile wait for the one exchange.
   */
  async pass(): Promise<Pass> {
    if (this.#ended) throw this.#ended;
    if (this.#stale && this.#session.refreshToken !== "") {
      this.#flight ??= this.#renew().finally(() => (this.#flight = undefined));
      await this.#flight;
    }
    return { token: this.#session.accessToken, generation: this.#generation };
  }

  /**
   * Takes note that a call with this pass failed; whether the token was at fault and
   * another one can be got.
   */
  refused(pass: Pass, failure: GxError): boolean {
    const atFault = [Reason.TOKEN_EXPIRED, Reason.TOKEN_INVALID].includes(failure.reason);
    if (!atFault || this.#session.refreshToken === "") return false;
    // Another caller may have got other tokens meanwhile.
    if (pass.generation === this.#generation) this.#stale = true;
    return true;
  }

  async #renew(): Promise<void> {
    this.#requestId ??= crypto.randomUUID();
    try {
      this.#session = await this.#exchange(this.#session.refreshToken, this.#requestId);
    } catch (failure) {
      const error = errorOf(failure);
      if (!hasEnded(error)) throw error;
      this.#ended = error.ending();
      throw this.#ended;
    }
    this.#generation += 1;
    this.#stale = false;
    this.#requestId = undefined;
    for (const listener of this.#listeners) listener(this.#session);
  }
}

/** Whether no exchange of the token can succeed any more. */
function hasEnded(failure: GxError): boolean {
  return [
    Reason.REFRESH_TOKEN_REUSED,
    Reason.SESSION_REVOKED,
    Reason.TOKEN_EXPIRED,
    Reason.TOKEN_INVALID,
    Reason.USER_STATUS,
  ].includes(failure.reason);
}
