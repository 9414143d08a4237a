/** What every room of the console has, and what it is given. */

import type { Session } from "./session.js";
import type { Child } from "./dom.js";

/** What a room may use while somebody is in it. */
export interface Visit {
  readonly session: Session;
  /** Aborts when the room is left. */
  readonly signal: AbortSignal;
  /** What the address names, such as a block's number. */
  readonly subject: string;
  /** Takes what went wrong: an ended session leads out, anything else is told. */
  readonly failed: (failure: unknown) => void;
}

/** A room as it is shown. */
export interface View {
  readonly title: string;
  readonly content: readonly Child[];
}

/** A room: what it shows at once. What comes later it puts there itself. */
export type Room = (visit: Visit) => View;
