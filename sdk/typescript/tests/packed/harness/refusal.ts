/** What a call that must fail fails with. */

import { GxError } from "@gx/sdk";

export async function refusal(call: Promise<unknown>): Promise<GxError> {
  try {
    await call;
  } catch (failure) {
    if (failure instanceof GxError) return failure;
    throw failure;
  }
  throw new Error("it is not refused");
}
