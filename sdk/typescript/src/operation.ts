/** What became of commands. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Calls } from "./calls.js";
import { OperationService, type ListOperationsRequestSchema } from "./gen/gx/operation/v1/operation_pb.js";
import { items } from "./pages.js";
import { PendingOperation, watchOperation, type Operation } from "./pending.js";
import { methodsOf, type CallOptions } from "./service.js";

export * from "./gen/gx/operation/v1/operation_pb.js";
export type { Operation } from "./pending.js";

/** Which operations to list; those that are not told about are all. */
export type OperationFilter = Pick<MessageInitShape<typeof ListOperationsRequestSchema>, "states" | "types">;

/** The operations of one's own commands. */
export class Operations extends methodsOf(OperationService) {
  readonly #calls: Calls;

  /** @internal */
  constructor(calls: Calls) {
    super(calls);
    this.#calls = calls;
  }

  /**
   * An operation by its name, `operations/…`, such as one that another process began.
   *
   * @throws GxError with NOT_FOUND, if it is not one's own.
   */
  async get(name: string, options?: CallOptions): Promise<PendingOperation> {
    return PendingOperation.of(await this.getOperation({ name }, options), this.#calls);
  }

  /** One's own operations, newest first. */
  list(filter: OperationFilter = {}, options?: CallOptions): AsyncGenerator<Operation, void, undefined> {
    return items(
      (page) => this.listOperations({ ...filter, ...page }, options),
      (page) => page.operations,
    );
  }

  /** An operation's states from now up to its outcome, each once. */
  watch(name: string, options: CallOptions = {}): AsyncGenerator<Operation, void, undefined> {
    return watchOperation(this.#calls, name, options.signal);
  }
}
