/** Whose an account is, told beside it before one goes on. */

import { GxError, Reason, type GxClient } from "@gx/sdk";
import { put } from "../dom.js";

/** A well-formed account that there is not. */
export const NOBODYS = "Nobody has this account.";

/** What cannot be an account. */
export const NO_ACCOUNT = "This is no account; look for a slip.";

/** Puts the masked name into `named`. @throws what keeps one from knowing, but a wrong account. */
export async function recognize(gx: GxClient, account: string, named: Element, signal: AbortSignal): Promise<void> {
  put(named);
  if (account === "") return;
  try {
    const { account: found } = await gx.wallet.resolveAccount({ account }, { signal });
    if (found) put(named, [found.maskedName, found.country].filter((part) => part !== "").join(", "));
  } catch (failure) {
    if (!(failure instanceof GxError)) throw failure;
    const words = wrong(failure.reason);
    if (words === undefined) throw failure;
    put(named, words);
  }
}

function wrong(reason: Reason): string | undefined {
  if (reason === Reason.NOT_FOUND) return NOBODYS;
  if (reason === Reason.INVALID_FIELD) return NO_ACCOUNT;
  return undefined;
}
