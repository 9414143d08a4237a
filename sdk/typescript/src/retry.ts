/** What may be sent again, and when. */

import { getOption, hasOption, type DescMethod } from "@bufbuild/protobuf";
import { Code, Reason, type GxError } from "./error.js";
import { http } from "./gen/google/api/annotations_pb.js";
import { IdentityService } from "./gen/gx/identity/v1/identity_pb.js";
import { WalletService } from "./gen/gx/wallet/v1/wallet_pb.js";

/** Pauses double from the first to the longest, behind that which the server names. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/**
 * What a second sending of a message does: `harmless`, nothing more than the first,
 * since it reads or carries a request_id; `counts`, something again, so only what was
 * certainly not taken is sent again.
 */
export type Repeat = "harmless" | "counts";

/** Methods of which the interface says that the same call again answers the same. */
const SAME_AGAIN: ReadonlySet<DescMethod> = new Set([
  IdentityService.method.verifyContact,
  IdentityService.method.completeRegistration,
  IdentityService.method.revokeSession,
  IdentityService.method.denyVerification,
  IdentityService.method.bindAccount,
  WalletService.method.quoteTransfer,
  WalletService.method.batchTransfer,
]);

/** What a second sending of this method's message does. */
export function repeatOf(method: DescMethod): Repeat {
  const reads = hasOption(method, http) && getOption(method, http).pattern.case === "get";
  const named = method.input.fields.some((field) => field.name === "request_id");
  return reads || named || SAME_AGAIN.has(method) ? "harmless" : "counts";
}

/** The pauses between the tries of one call. */
export class Pauses {
  #next = FIRST_PAUSE_MS;

  /** How long to wait before the next try, in milliseconds; none if there must be none. */
  after(failure: GxError, repeat: Repeat): number | undefined {
    if (!mayRepeat(failure, repeat)) return undefined;
    const own = this.#next;
    this.#next = Math.min(LONGEST_PAUSE_MS, own * 2);
    // Clients that failed together do not come back together.
    return (failure.retryDelayMs ?? 0) + own * (0.5 + Math.random() / 2);
  }
}

function mayRepeat(failure: GxError, repeat: Repeat): boolean {
  return wasNotTaken(failure) || (repeat === "harmless" && wasLost(failure));
}

/** Whether the server said that it did nothing. */
function wasNotTaken(failure: GxError): boolean {
  return [Reason.RATE_LIMITED, Reason.OVERLOADED, Reason.CATCHING_UP].includes(failure.reason);
}

/** Whether nobody knows what became of the call. */
function wasLost(failure: GxError): boolean {
  if (failure.reasonName !== undefined) {
    return [Reason.UNAVAILABLE, Reason.DEADLINE].includes(failure.reason);
  }
  // Said by the transport or by a proxy: the connection, not the call. An answer that
  // breaks off within a message is INVALID_ARGUMENT to the transport; what is wrong with
  // the request itself the server tells with a reason.
  return [
    Code.Unavailable,
    Code.Unknown,
    Code.Aborted,
    Code.Canceled,
    Code.Internal,
    Code.DataLoss,
    Code.InvalidArgument,
  ].includes(failure.code);
}
