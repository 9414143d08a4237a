/** What went wrong, in words for people, and what they can do about it. */

import { AmountError, GxError, Qirat, Reason, SessionEndedError, type AmountFault } from "@gx/sdk";
import { OperationState } from "@gx/sdk/operation";
import { gx } from "./format.js";

/** The reasons that people meet; others are told by the server's own words. */
const REASONS: Partial<Record<Reason, string>> = {
  [Reason.CREDENTIALS_WRONG]: "The contact or the password is wrong.",
  [Reason.LOGIN_LOCKED]: "There were too many wrong passwords. Wait a while, then try again.",
  [Reason.USER_STATUS]: "This account may not do that at present.",
  [Reason.SESSION_REVOKED]: "Your session was ended. Sign in to go on.",
  [Reason.REFRESH_TOKEN_REUSED]:
    "Somebody else used your session, so it was ended. Sign in, and change your password.",
  [Reason.TOKEN_EXPIRED]: "Your session is over. Sign in to go on.",
  [Reason.TOKEN_INVALID]: "Your session is over. Sign in to go on.",
  [Reason.ROLE_MISSING]: "You may not do that.",
  [Reason.NOT_FOUND]: "There is no such thing, or it is not yours to see.",
  [Reason.REQUEST_ID_REUSED]: "This payment was sent before; look at the history.",
  [Reason.RATE_LIMITED]: "That was too often in a short time. Wait a moment, then try again.",
  [Reason.OVERLOADED]: "GX is busy. Nothing was done; try again in a moment.",
  [Reason.CATCHING_UP]: "GX is catching up with its ledger. Nothing was done; try again in a few minutes.",
  [Reason.STALE_READ]: "The newest figures are not there yet. Try again in a moment.",
  [Reason.DEADLINE]: "It takes longer than it should.",
  [Reason.UNAVAILABLE]: "GX cannot be reached at present.",
  [Reason.INTERNAL]: "Something went wrong at GX.",
  [Reason.INSUFFICIENT_FUNDS]: "You do not have enough for this amount and its fee. Nothing was sent.",
  [Reason.FEE_CHANGED]: "The fee has changed meanwhile. Nothing was sent or charged; review the payment again.",
  [Reason.SELF_TRANSFER]: "That is your own account. Nothing was sent.",
  [Reason.SENDER_NOT_ACTIVE]: "Your account may not send at present. Nothing was sent.",
  [Reason.RECEIVER_NOT_ACTIVE]: "The receiver cannot be paid at present. Nothing was sent.",
  [Reason.UNKNOWN_RECEIVER]: "Nobody has this account. Nothing was sent.",
  [Reason.VOIDED]: "The payment was withdrawn and will never take effect. Nothing was sent.",
  [Reason.CHAIN_REFUSED]: "The ledger refused the payment. Nothing was sent.",
};

const AMOUNTS: Record<AmountFault, string> = {
  NOT_DECIMAL: "Write the amount in digits, with a point at most, such as 12.5.",
  TOO_FINE: "An amount has at most six digits behind the point.",
  TOO_LARGE: "That is more than there are coins.",
  NEGATIVE: "An amount is more than nothing.",
};

/** What a failure is told as. */
export function wordsOf(failure: unknown): string {
  if (failure instanceof AmountError) return AMOUNTS[failure.fault];
  if (!(failure instanceof GxError)) return "Something went wrong in this page.";
  if (!isAccepted(failure)) return [ofReason(failure), ...details(failure)].join(" ");
  // Why one does not know it is no word about the payment.
  const accepted = "GX has accepted the payment, and has not told yet what became of it.";
  return failure instanceof SessionEndedError ? `${ofReason(failure)} ${accepted}` : accepted;
}

/** Whether nobody knows yet what became of what was sent, and somebody can still ask. */
export function isOpen(failure: unknown): boolean {
  if (!(failure instanceof GxError) || failure instanceof SessionEndedError) return false;
  const { reason, reasonName } = failure;
  return isAccepted(failure) || reasonName === undefined || [Reason.DEADLINE, Reason.UNAVAILABLE, Reason.INTERNAL].includes(reason);
}

function isAccepted({ operation }: GxError): boolean {
  return operation !== undefined && operation.state !== OperationState.REFUSED;
}

function ofReason(failure: GxError): string {
  if (failure.reason === Reason.INVALID_FIELD) {
    return failure.violations.map(({ description }) => `What was entered is not accepted: ${description}.`).join(" ");
  }
  // Where no server of GX answered, it cannot be reached.
  const isNobodys = failure.reasonName === undefined;
  return REASONS[isNobodys ? Reason.UNAVAILABLE : failure.reason] ?? `GX answered: ${failure.message}.`;
}

function details({ metadata, reason, requestId }: GxError): string[] {
  const told: string[] = [];
  if (metadata.available_qirat !== undefined) told.push(`You have ${inGx(metadata.available_qirat)} GX available.`);
  if (metadata.fee_qirat !== undefined) told.push(`It is ${inGx(metadata.fee_qirat)} GX now.`);
  // Whoever is asked for help finds the call in the log by it.
  if (reason === Reason.INTERNAL && requestId !== undefined) told.push(`Tell support this number: ${requestId}.`);
  return told;
}

function inGx(qirat: string): string {
  return gx(Qirat.of(BigInt(qirat)));
}
