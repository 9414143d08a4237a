/** Commands that were taken, to be waited for and watched. */

import { equals } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { withAmounts, type WithAmounts } from "./amount.js";
import { sleep } from "./bounds.js";
import type { Calls } from "./calls.js";
import { GxError, deadline, errorOf, local, missing, toldBy } from "./error.js";
import {
  OperationSchema,
  OperationService,
  OperationState,
  type Operation as Message,
} from "./gen/gx/operation/v1/operation_pb.js";
import { follow } from "./resume.js";
import { Pauses } from "./retry.js";

/** An operation as it was answered. */
export type Operation = WithAmounts<Message>;

/** How long `settled` waits. */
const PATIENCE_MS = 120_000;

/** How long one question waits for the outcome, and its answer for the network. */
const TURN_MS = 20_000;
const TRAVEL_MS = 10_000;

/** What `settled` may be told. */
export interface SettledOptions {
  /** How long to wait, in milliseconds; two minutes if it is not told. */
  readonly patienceMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** What the ledger has done. */
export interface Settled {
  /** The block whose effects include it; a read with this `minBlock` sees them. */
  readonly block: bigint;
  /** The operation, with its response. */
  readonly operation: Operation;
}

/** A command that was taken. What it did is known once it is settled. */
export class PendingOperation {
  /** The operation as it was last answered. */
  readonly operation: Operation;
  readonly #calls: Calls;

  private constructor(operation: Operation, calls: Calls) {
    this.operation = operation;
    this.#calls = calls;
  }

  /** @internal */
  static of(answer: { readonly operation?: Message | undefined }, calls: Calls): PendingOperation {
    if (!answer.operation) throw missing("operation");
    return new PendingOperation(withAmounts(answer.operation), calls);
  }

  /** `operations/…`, by which it can be found again. */
  get name(): string {
    return this.operation.name;
  }

  /**
   * Waits until the ledger has done it, also for a server that comes back.
   *
   * @throws GxError with the reason, if it was refused: it changed nothing then, and the
   * error's operation is REFUSED. In any other state it may still succeed: DEADLINE, if it
   * is not decided yet, or whatever else keeps one from knowing.
   */
  async settled(options: SettledOptions = {}): Promise<Settled> {
    const end = performance.now() + (options.patienceMs ?? PATIENCE_MS);
    let { operation } = this;
    let pauses = new Pauses();
    while (!isSettled(operation)) {
      const leftMs = end - performance.now();
      if (leftMs <= 0) throw deadline().of(operation);
      try {
        operation = await this.#wait(Math.min(leftMs, TURN_MS), options.signal);
        pauses = new Pauses();
      } catch (caught) {
        const failure = errorOf(caught);
        // A server that is away for longer than a call waits may be back in time.
        const pauseMs = options.signal?.aborted ? undefined : pauses.after(failure, "harmless");
        if (pauseMs === undefined || performance.now() + pauseMs >= end) throw failure.of(operation);
        await sleep(pauseMs, options.signal);
      }
    }
    if (operation.state === OperationState.REFUSED) throw refusal(operation);
    return { block: operation.metadata?.block ?? 0n, operation };
  }

  /** Its states from now up to the outcome, each once. */
  watch(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Operation, void, undefined> {
    return watchOperation(this.#calls, this.name, options.signal);
  }

  async #wait(turnMs: number, signal: AbortSignal | undefined): Promise<Operation> {
    const patient = createClient(OperationService, this.#calls.withDeadline(turnMs + TRAVEL_MS));
    const request = { name: this.name, timeoutMs: Math.max(1, Math.floor(turnMs)) };
    const answer = await patient.waitOperation(request, signal ? { signal } : {});
    return PendingOperation.of(answer, this.#calls).operation;
  }
}

/** The states of one operation from now up to its outcome, each once. */
export function watchOperation(
  calls: Calls,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Operation, void, undefined> {
  const client = createClient(OperationService, calls);
  let last: Message | undefined;
  const states = {
    open: (signal: AbortSignal) => client.watchOperation({ name }, { signal }),
    read({ operation }: { readonly operation?: Message | undefined }): Operation | undefined {
      // A stream that is opened again begins with what was seen last.
      if (!operation || (last && equals(OperationSchema, operation, last))) return undefined;
      last = operation;
      return withAmounts(operation);
    },
    isComplete: () => last !== undefined && isSettled(last),
  };
  return follow(states, signal);
}

function isSettled(operation: Pick<Message, "state">): boolean {
  return [OperationState.SUCCEEDED, OperationState.REFUSED].includes(operation.state);
}

/** Why an operation was refused. */
function refusal(operation: Operation): GxError {
  const { result } = operation;
  const why = result.case === "error" ? toldBy(result.value) : local(Code.FailedPrecondition, "the command was refused");
  return why.of(operation);
}
