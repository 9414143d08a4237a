/** Whose an account is, told beside it before one goes on. */

import { GxError, Reason, type GxClient } from "@gx/sdk";

/** A well-formed account that there is not. */
export const NOBODYS = "Nobody has this account.";

/** What cannot be an account. */
export const NO_ACCOUNT = "This is no account; look for a slip.";

/** The masked name, or that nobody has the account. @throws what else keeps one from knowing. */
export async function recognize(gx: GxClient, account: string, signal: AbortSignal): Promise<string> {
  try {
    const { account: found } = await gx.wallet.resolveAccount({ account }, { signal });
    return [found?.maskedName, found?.country].filter(Boolean).join(", ");
  } catch (failure) {
    const words = failure instanceof GxError ? wrong(failure.reason) : undefined;
    if (words === undefined) throw failure;
    return words;
  }
}

function wrong(reason: Reason): string | undefined {
  if (reason === Reason.NOT_FOUND) return NOBODYS;
  if (reason === Reason.INVALID_FIELD) return NO_ACCOUNT;
  return undefined;
}
