/**
 * Streams that stay: one that breaks is opened again where it was, so that whoever reads
 * it sees neither a gap nor anything twice.
 */

import { sleep } from "./bounds.js";
import { Code, Reason, SessionEndedError, errorOf, local, type GxError } from "./error.js";
import { Pauses } from "./retry.js";

/** For streams that tell every ten seconds how far they are, if there is nothing else. */
export const SILENCE_MS = 30_000;

/** How long a stream may bring nothing but failures before it ends with the last one. */
const OUTAGE_MS = 300_000;

/** What a stream brings, and where it goes on. */
export interface Follow<Answer, Item> {
  /** Asks for everything behind what was read, and forgets what was begun. */
  open(signal: AbortSignal): AsyncIterable<Answer>;

  /** Takes the next answer; the item that it completes, if it is not known already. */
  read(answer: Answer): Item | undefined;

  /** Whether everything was read, so that the stream's end is its end. */
  isComplete?(): boolean;

  /**
   * How long the server is silent at most, in milliseconds; a stream that is silent for
   * longer has lost its server. Without it silence says nothing.
   */
  readonly silenceMs?: number;
}

/** Follows a stream until it is complete, or until `wanted` ends it. */
export async function* follow<Answer, Item>(
  stream: Follow<Answer, Item>,
  wanted: AbortSignal | undefined,
): AsyncGenerator<Item, void, undefined> {
  const trouble = new Trouble();
  while (!stream.isComplete?.() && !wanted?.aborted) {
    try {
      for await (const answer of opened(stream, wanted)) {
        trouble.passed();
        const item = stream.read(answer);
        if (item !== undefined) yield item;
        if (stream.isComplete?.()) return;
      }
      throw local(Code.Unavailable, "the stream ended");
    } catch (caught) {
      if (wanted?.aborted) return;
      const failure = errorOf(caught);
      await sleep(trouble.pauseMs(failure), wanted);
    }
  }
}

/** One opening of the stream, which is closed whenever nobody reads on. */
async function* opened<Answer>(stream: Follow<Answer, unknown>, wanted: AbortSignal | undefined): AsyncGenerator<Answer> {
  const controller = new AbortController();
  const close = (): void => {
    controller.abort();
  };
  const watch = new Silence(stream.silenceMs, close);
  wanted?.addEventListener("abort", close);
  try {
    const answers = stream.open(controller.signal)[Symbol.asyncIterator]();
    for (;;) {
      watch.begin();
      const answer = await answers.next();
      watch.end();
      if (answer.done) return;
      yield answer.value;
    }
  } finally {
    watch.end();
    wanted?.removeEventListener("abort", close);
    close();
  }
}

/** Watches how long nothing comes. */
class Silence {
  readonly #ms: number | undefined;
  readonly #tooLong: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number | undefined, tooLong: () => void) {
    this.#ms = ms;
    this.#tooLong = tooLong;
  }

  begin(): void {
    if (this.#ms !== undefined) this.#timer = setTimeout(this.#tooLong, this.#ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Failures since the last answer. */
class Trouble {
  #pauses = new Pauses();
  #since: number | undefined;
  #renewed = false;

  passed(): void {
    this.#pauses = new Pauses();
    this.#since = undefined;
    this.#renewed = false;
  }

  /** How long to wait before the stream is opened again. @throws the failure, if it stays. */
  pauseMs(failure: GxError): number {
    if (this.#hasOldToken(failure)) return 0;
    this.#since ??= performance.now();
    const pauseMs = this.#pauses.after(failure, "harmless");
    if (pauseMs === undefined || performance.now() - this.#since + pauseMs > OUTAGE_MS) throw failure;
    return pauseMs;
  }

  /** Whether the token ended while the stream was open: the next opening gets another. */
  #hasOldToken(failure: GxError): boolean {
    const isOld = [Reason.TOKEN_EXPIRED, Reason.TOKEN_INVALID].includes(failure.reason);
    if (!isOld || failure instanceof SessionEndedError || this.#renewed) return false;
    this.#renewed = true;
    return true;
  }
}
