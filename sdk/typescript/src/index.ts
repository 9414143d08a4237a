/**
 * The client of GX. `GxClient` is where one begins. Each service has a room of its own,
 * `@gx/sdk/wallet` and the like, with its messages and what makes them comfortable; every
 * method of the interface is there under its own name.
 */

export { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";
export { AmountError, Qirat, type AmountFault, type QiratDelta, type WithAmounts } from "./amount.js";
export { GxClient, type ConnectOptions } from "./client.js";
export { Code, GxError, Reason, SessionEndedError, type FieldViolation } from "./error.js";
export { Identity } from "./identity.js";
export { Ledger } from "./ledger.js";
export { Operations } from "./operation.js";
export { PendingOperation, type Settled, type SettledOptions } from "./pending.js";
export type { CallOptions } from "./service.js";
export type { Session } from "./session.js";
export { Tokenomics } from "./tokenomics.js";
export type { Protocol } from "./transport/protocol.js";
export { Wallets, newTransfer, type Transfer } from "./wallet.js";
