/** How long a call may take, and whether its caller still wants it. */

import { Code, deadline, local, type GxError } from "./error.js";

/** The longest that servers can be told in milliseconds, more than a day; timers know no end. */
const LONGEST_MS = 99_999_999;

/** The bounds of one call with all its tries. */
export class Bounds {
  readonly #controller = new AbortController();
  readonly #end: number;
  readonly #wanted: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #abort = (): void => {
    this.#controller.abort(this.#wanted?.reason);
  };

  constructor(ms: number, wanted: AbortSignal | undefined) {
    const boundMs = Math.min(ms, LONGEST_MS);
    this.#end = performance.now() + boundMs;
    this.#wanted = wanted;
    this.#timer = setTimeout(this.#abort, boundMs);
    wanted?.addEventListener("abort", this.#abort);
    if (wanted?.aborted) this.#abort();
  }

  /** Ends whatever works for the call when a bound is met. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds that are left, rounded up, as a server is told whole ones. */
  get leftMs(): number {
    return Math.ceil(this.#end - performance.now());
  }

  /** What a bound that is met makes of the call; none while it may go on. */
  met(): GxError | undefined {
    if (this.#wanted?.aborted) return local(Code.Canceled, "the caller gave the call up", this.#wanted.reason);
    return this.signal.aborted || this.leftMs <= 0 ? deadline() : undefined;
  }

  /** The outcome of work, or the bound that is met before. */
  async within<T>(work: Promise<T>): Promise<T> {
    let stop = (): void => undefined;
    const met = new Promise<never>((_, reject) => {
      stop = () => {
        reject(this.met() ?? deadline());
      };
      this.signal.addEventListener("abort", stop, { once: true });
      if (this.signal.aborted) stop();
    });
    try {
      return await Promise.race([work, met]);
    } finally {
      this.signal.removeEventListener("abort", stop);
    }
  }

  /** No time bounds it any more; whoever called may still give it up. */
  opened(): void {
    clearTimeout(this.#timer);
  }

  /** Forgets the call. */
  end(): void {
    this.opened();
    this.#wanted?.removeEventListener("abort", this.#abort);
  }
}

/** Waits, unless the signal comes before. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
