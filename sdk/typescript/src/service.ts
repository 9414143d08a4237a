/**
 * How the methods of a service are made from its description, and which of them are
 * commands.
 */

import type {
  DescMessage,
  DescMethod,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { WithAmounts } from "./amount.js";
import type { Calls } from "./calls.js";
import type { Operation } from "./gen/gx/operation/v1/operation_pb.js";
import { PendingOperation } from "./pending.js";

/** What a single call may be told. */
export interface CallOptions {
  /** Ends the call when its caller does not want it any more. */
  readonly signal?: AbortSignal | undefined;
}

/** What is sent; a command's request_id cannot be left out. */
export type Request<I extends DescMessage> = WithAmounts<MessageInitShape<I>> &
  (MessageShape<I> extends { requestId: string } ? { readonly requestId: string } : unknown);

/** What is answered; of a command the operation that is to be waited for. */
export type Answer<I extends DescMessage, O extends DescMessage> =
  IsCommand<MessageShape<I>, MessageShape<O>> extends true ? PendingOperation : WithAmounts<MessageShape<O>>;

type IsCommand<Sent, Answered> = Sent extends { requestId: string }
  ? Answered extends { operation?: Operation | undefined }
    ? true
    : false
  : false;

type Unary<S extends DescService> = {
  [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary ? Name : never;
}[keyof S["method"]];

/**
 * The methods of a service that answer one message, under their own names: with tokens,
 * deadline and retries. They fail as the interface says of them, with GxError.
 */
export type Methods<S extends DescService> = {
  readonly [Name in Unary<S>]: S["method"][Name] extends DescMethodUnary<infer I, infer O>
    ? (request: Request<I>, options?: CallOptions) => Promise<Answer<I, O>>
    : never;
};

/** A class with the methods of a service. */
export function methodsOf<S extends DescService>(service: S): new (calls: Calls) => Methods<S> {
  class Service {
    constructor(calls: Calls) {
      for (const method of service.methods) {
        if (!isUnary(method)) continue;
        const call = (request: MessageInitShape<DescMessage>, options: CallOptions = {}): Promise<unknown> =>
          send(calls, method, request, options);
        Object.defineProperty(this, method.localName, { value: call, configurable: true });
      }
    }
  }
  return Service as unknown as new (calls: Calls) => Methods<S>;
}

async function send(
  calls: Calls,
  method: DescMethodUnary,
  request: MessageInitShape<DescMessage>,
  options: CallOptions,
): Promise<unknown> {
  const { message } = await calls.unary(method, options.signal, undefined, undefined, request);
  return isCommand(method) ? PendingOperation.of(message as { operation?: Operation }, calls) : message;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

/** A command names itself and answers its operation. */
function isCommand(method: DescMethodUnary): boolean {
  return "requestId" in method.input.field && "operation" in method.output.field;
}
