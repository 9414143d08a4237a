/**
 * Calls as their callers see them: with the session's token, within their deadline, and
 * sent again where that is safe and may help.
 */

import {
  create,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  createClient,
  type ContextValues,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { Bounds, sleep } from "./bounds.js";
import { Code, errorOf, local, type GxError } from "./error.js";
import { IdentityService } from "./gen/gx/identity/v1/identity_pb.js";
import { Pauses, repeatOf } from "./retry.js";
import { Keeper, type Pass, type Session } from "./session.js";

/** How long a call may take with all its tries, unless somebody says otherwise. */
export const DEADLINE_MS = 30_000;

/** One try: with these headers, as long as the bounds allow. */
type Try<T> = (header: Headers) => Promise<T>;

/** A transport over another one, for whoever is signed in. */
export class Calls implements Transport {
  readonly #inner: Transport;
  readonly keeper: Keeper | undefined;
  readonly deadlineMs: number;

  constructor(inner: Transport, keeper?: Keeper, deadlineMs = DEADLINE_MS) {
    this.#inner = inner;
    this.keeper = keeper;
    this.deadlineMs = deadlineMs;
  }

  /** The same for nobody. */
  anonymous(): Calls {
    return new Calls(this.#inner, undefined, this.deadlineMs);
  }

  /** The same for whoever has the session. */
  resume(session: Session): Calls {
    const identity = createClient(IdentityService, new Calls(this.#inner));
    const keeper = new Keeper(session, (refreshToken, requestId) =>
      identity.refreshSession({ refreshToken, requestId }),
    );
    return new Calls(this.#inner, keeper, this.deadlineMs);
  }

  /** The same with another deadline. */
  withDeadline(deadlineMs: number): Calls {
    return new Calls(this.#inner, this.keeper, deadlineMs);
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const message = encodable(method.input, input);
    const bounds = new Bounds(timeoutMs ?? this.deadlineMs, signal);
    try {
      return await this.#tries(method, bounds, header, (header) =>
        this.#inner.unary(method, bounds.signal, bounds.leftMs, header, message, contextValues),
      );
    } finally {
      bounds.end();
    }
  }

  /** The deadline bounds the opening of a stream; it then stays open. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const messages: MessageShape<I>[] = [];
    for await (const one of input) messages.push(encodable(method.input, one));
    const bounds = new Bounds(timeoutMs ?? this.deadlineMs, signal);
    let last: Pass | undefined;
    try {
      const open: Try<StreamResponse<I, O>> = (header) =>
        // A timeout that the server is told would end the stream.
        this.#inner.stream(method, bounds.signal, 0, header, createAsyncIterable(messages), contextValues);
      const answer = await this.#tries(method, bounds, header, open, (pass) => (last = pass));
      bounds.opened();
      return { ...answer, message: this.#read(answer.message, bounds, last) };
    } catch (failure) {
      bounds.end();
      throw failure;
    }
  }

  async #tries<T>(
    method: DescMethod,
    bounds: Bounds,
    header: HeadersInit | undefined,
    once: Try<T>,
    note: (pass: Pass | undefined) => void = () => undefined,
  ): Promise<T> {
    const pauses = new Pauses();
    let mayRenew = true;
    for (;;) {
      const pass = await bounds.within(this.keeper?.pass() ?? Promise.resolve(undefined));
      note(pass);
      const headers = withToken(header, pass);
      let failure: GxError;
      try {
        return await bounds.within(once(headers));
      } catch (caught) {
        failure = bounds.met() ?? errorOf(caught);
      }
      if (pass && this.keeper?.refused(pass, failure) && mayRenew) {
        mayRenew = false;
        continue;
      }
      const pauseMs = bounds.met() ? undefined : pauses.after(failure, repeatOf(method));
      if (pauseMs === undefined || pauseMs >= bounds.leftMs) throw failure;
      await sleep(pauseMs, bounds.signal);
    }
  }

  async *#read<T>(answers: AsyncIterable<T>, bounds: Bounds, pass: Pass | undefined): AsyncGenerator<T> {
    try {
      yield* answers;
    } catch (caught) {
      const failure = bounds.met() ?? errorOf(caught);
      // Whoever opens it again gets other tokens first.
      if (pass) this.keeper?.refused(pass, failure);
      throw failure;
    } finally {
      bounds.end();
    }
  }
}

/** The message, if it is one that can be sent. */
function encodable<D extends DescMessage>(type: D, init: MessageInitShape<D>): MessageShape<D> {
  try {
    const message = create(type, init);
    toBinary(type, message);
    return message;
  } catch (fault) {
    throw local(Code.InvalidArgument, `no ${type.typeName}: ${String(fault)}`, fault);
  }
}

function withToken(header: HeadersInit | undefined, pass: Pass | undefined): Headers {
  const headers = new Headers(header);
  if (!pass || pass.token === "") return headers;
  try {
    headers.set("authorization", `Bearer ${pass.token}`);
  } catch (fault) {
    throw local(Code.InvalidArgument, "the access token is no token", fault);
  }
  return headers;
}
