/**
 * The one error of the SDK: what the server said and why, or what kept it from saying
 * anything.
 */

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { anyUnpack, type Any } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, decodeBinaryHeader } from "@connectrpc/connect";
import type { WithAmounts } from "./amount.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema, type Status } from "./gen/google/rpc/status_pb.js";
import { Reason } from "./gen/gx/common/v1/reason_pb.js";
import type { Operation } from "./gen/gx/operation/v1/operation_pb.js";
import { STATUS_HEADER } from "./transport/refused.js";

export { Code, Reason };

/** Whose reasons these are. */
const DOMAIN = "gx";

/** A field of the request that is missing or out of its bounds. */
export interface FieldViolation {
  /** The field's path, such as `transfers[3].amount_qirat`. */
  readonly field: string;
  /** What is wrong with it. */
  readonly description: string;
}

/** What is known of a failure. */
interface Told {
  code: Code;
  message: string;
  reasonName?: string;
  metadata: Record<string, string>;
  violations: FieldViolation[];
  retryDelayMs?: number;
  requestId?: string;
  operation?: WithAmounts<Operation>;
  cause?: unknown;
}

/** Why a call failed, or why an operation was refused. */
export class GxError extends Error {
  override readonly name: string = "GxError";
  readonly #told: Told;

  /** @internal */
  constructor(told: Told) {
    super(text(told), told.cause === undefined ? {} : { cause: told.cause });
    this.#told = told;
  }

  /** The canonical code. */
  get code(): Code {
    return this.#told.code;
  }

  /**
   * Why, to branch on; `Reason.UNSPECIFIED` where no server of GX answered or it is
   * newer than this SDK, which `reasonName` tells apart.
   */
  get reason(): Reason {
    return isReason(this.#told.reasonName) ? Reason[this.#told.reasonName] : Reason.UNSPECIFIED;
  }

  /**
   * The reason as the server named it, such as `NOT_FOUND`; none where no server of GX
   * answered.
   */
  get reasonName(): string | undefined {
    return this.#told.reasonName;
  }

  /** What the reason's description promises, such as `available_qirat`. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#told.metadata;
  }

  /** The fields that are wrong, for `Reason.INVALID_FIELD`. */
  get violations(): readonly FieldViolation[] {
    return this.#told.violations;
  }

  /** When another try may help, in milliseconds, where the server knows. */
  get retryDelayMs(): number | undefined {
    return this.#told.retryDelayMs;
  }

  /** The id under which the server's log has the call. */
  get requestId(): string | undefined {
    return this.#told.requestId;
  }

  /** The operation that was refused, or that was not settled in time. */
  get operation(): WithAmounts<Operation> | undefined {
    return this.#told.operation;
  }

  /** @internal The error, about this operation. */
  of(operation: WithAmounts<Operation>): GxError {
    const error = make({ ...this.#told, operation });
    return this instanceof SessionEndedError ? error.ending() : error;
  }

  /** @internal The same, which ends the session. */
  ending(): SessionEndedError {
    return new SessionEndedError(this.#told);
  }
}

/**
 * The session has ended, and nobody can go on with it: sign in again. The reason is
 * SESSION_REVOKED; REFRESH_TOKEN_REUSED, if somebody else had the refresh token;
 * TOKEN_EXPIRED, TOKEN_INVALID or USER_STATUS, if the refresh token is refused.
 */
export class SessionEndedError extends GxError {
  override readonly name = "SessionEndedError";
}

/** Reasons that end a session wherever they are met. */
const ENDINGS: ReadonlySet<string | undefined> = new Set(["SESSION_REVOKED", "REFRESH_TOKEN_REUSED"]);

function make(told: Told): GxError {
  return ENDINGS.has(told.reasonName) ? new SessionEndedError(told) : new GxError(told);
}

/** An error that no server told. */
export function local(code: Code, message: string, cause?: unknown): GxError {
  return make({ code, message, metadata: {}, violations: [], cause });
}

/** An answer lacks what the interface promises. */
export function missing(what: string): GxError {
  return local(Code.Internal, `the answer has no ${what}`);
}

/** The client's own bound passed. */
export function deadline(): GxError {
  const message = "the deadline of the call passed";
  return make({ code: Code.DeadlineExceeded, message, reasonName: "DEADLINE", metadata: {}, violations: [] });
}

/** What a failure of a call tells. */
export function errorOf(failure: unknown): GxError {
  if (failure instanceof GxError) return failure;
  const error = ConnectError.from(failure);
  const told: Told = readHead(error) ?? readDetails(error);
  // What GX told is told whole; behind anything else somebody may look further.
  if (told.reasonName === undefined) told.cause = error;
  // What a gateway refuses by itself has the request's id beside the status.
  const requestId = told.requestId ?? error.metadata.get("x-request-id");
  if (requestId !== null) told.requestId = requestId;
  // The transport's own bound is the call's.
  if (told.reasonName === undefined && told.code === Code.DeadlineExceeded) return deadline();
  return make(told);
}

/** What a status inside of an answer tells. */
export function toldBy(status: ToldStatus): GxError {
  return make(readStatus(status));
}

/** A status, as a message or as an answer has it. */
type ToldStatus = Pick<Status, "code" | "message"> & { readonly details: readonly Any[] };

function readStatus({ code, message, details }: ToldStatus): Told {
  return read(code, message, (type) =>
    details.map((detail) => anyUnpack(detail, type)).find((detail) => detail !== undefined),
  );
}

function readDetails(error: ConnectError): Told {
  return read(error.code, error.rawMessage, (type) => error.findDetails(type)[0]);
}

/** A gateway's refusal has an HTTP status of its own, beside which nobody looks for it. */
function readHead(error: ConnectError): Told | undefined {
  const status = error.metadata.get(STATUS_HEADER);
  if (status === null || error.details.length > 0) return undefined;
  try {
    return readStatus(decodeBinaryHeader(status, StatusSchema));
  } catch {
    return undefined;
  }
}

type Find = <D extends DescMessage>(type: D) => MessageShape<D> | undefined;

function read(code: Code, message: string, find: Find): Told {
  const info = find(ErrorInfoSchema);
  const delay = find(RetryInfoSchema)?.retryDelay;
  const requestId = find(RequestInfoSchema)?.requestId;
  const violations = find(BadRequestSchema)?.fieldViolations ?? [];
  return {
    code,
    message,
    ...(info?.domain === DOMAIN && { reasonName: info.reason }),
    metadata: info?.domain === DOMAIN ? info.metadata : {},
    violations: violations.map(({ field, description }) => ({ field, description })),
    ...(delay && { retryDelayMs: Number(delay.seconds) * 1000 + delay.nanos / 1e6 }),
    ...(requestId !== undefined && { requestId }),
  };
}

/** Whether this SDK knows the reason by its name. An enum's numbers are keys too. */
function isReason(name: string | undefined): name is keyof typeof Reason {
  return name !== undefined && Object.hasOwn(Reason, name) && Number.isNaN(Number(name));
}

function text(told: Told): string {
  return `${told.reasonName ?? Code[told.code]}: ${told.message}`;
}
