/**
 * Amounts of coins. One GX is 1,000,000 Qirat, and the interface counts in Qirat; a
 * plain bigint says neither, so here only these types do, and every conversion from or
 * to GX is named.
 */

declare const unit: unique symbol;

/** An amount of coins, in Qirat, as messages carry it. */
export type Qirat = bigint & { readonly [unit]: "Qirat" };

/** A change of a balance, in Qirat; negative is a debit. */
export type QiratDelta = bigint & { readonly [unit]: "QiratDelta" };

/** Why a text or a number is no amount. */
export type AmountFault =
  /** It is not digits with at most one point between them. */
  | "NOT_DECIMAL"
  /** It has more than six digits behind the point: Qirat are whole. */
  | "TOO_FINE"
  /** It is more than can be counted. */
  | "TOO_LARGE"
  /** It is below zero. */
  | "NEGATIVE";

/** A text or a number that is no amount. */
export class AmountError extends Error {
  override readonly name = "AmountError";
  readonly fault: AmountFault;

  /** @internal */
  constructor(fault: AmountFault) {
    super(FAULTS[fault]);
    this.fault = fault;
  }
}

const FAULTS: Record<AmountFault, string> = {
  NOT_DECIMAL: "an amount in GX is digits, with a point at most, such as 12.5",
  TOO_FINE: "an amount in GX has at most six digits behind the point",
  TOO_LARGE: "an amount in GX is at most 18446744073709.551615",
  NEGATIVE: "an amount is not below zero",
};

/** Qirat of one GX. */
const PER_GX = 1_000_000n;

/** Digits behind the point of an amount in GX. */
const DECIMALS = 6;

/** The largest number that messages carry. */
const LARGEST = 2n ** 64n - 1n;

/** What one does with amounts. */
export const Qirat = {
  /** No coins. */
  ZERO: 0n as Qirat,

  /** All coins that there are: 1,250,000,000,000 GX. */
  MAXIMUM: (1_250_000_000_000n * PER_GX) as Qirat,

  /**
   * So many Qirat.
   *
   * @throws AmountError if it is below zero or more than messages carry.
   */
  of(qirat: bigint): Qirat {
    if (qirat < 0n) throw new AmountError("NEGATIVE");
    if (qirat > LARGEST) throw new AmountError("TOO_LARGE");
    return qirat as Qirat;
  },

  /**
   * The amount that a person writes in GX, such as `12.5`.
   *
   * @throws AmountError if the text is no decimal number, finer than a Qirat, or too
   * large.
   */
  fromGx(gx: string): Qirat {
    const [, whole, fraction = ""] = /^([0-9]+)(?:\.([0-9]+))?$/.exec(gx) ?? [];
    if (whole === undefined) throw new AmountError("NOT_DECIMAL");
    if (fraction.length > DECIMALS) throw new AmountError("TOO_FINE");
    return Qirat.of(BigInt(whole) * PER_GX + BigInt(fraction.padEnd(DECIMALS, "0")));
  },

  /** An amount or a change in GX without needless digits, such as `12.5` or `-12.5`. */
  toGx(qirat: Qirat | QiratDelta): string {
    const plain: bigint = qirat;
    const magnitude = plain < 0n ? -plain : plain;
    const fraction = (magnitude % PER_GX).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
    const whole = `${plain < 0n ? "-" : ""}${magnitude / PER_GX}`;
    return fraction === "" ? whole : `${whole}.${fraction}`;
  },

  /** The sum. @throws AmountError if it is too large to be counted. */
  add(one: Qirat, other: Qirat): Qirat {
    return Qirat.of(one + other);
  },

  /** The difference. @throws AmountError if `other` is more. */
  subtract(one: Qirat, other: Qirat): Qirat {
    return Qirat.of(one - other);
  },
} as const;

/** A message whose fields in Qirat say so by their types, all the way down. */
export type WithAmounts<T> = T extends bigint | string | number | boolean | Uint8Array | undefined
  ? T
  : { [Field in keyof T]: WithAmount<Field, T[Field]> };

/** The same message, by the type that says so. */
export function withAmounts<T>(message: T): WithAmounts<T> {
  return message as WithAmounts<T>;
}

type WithAmount<Field, Value> = Value extends bigint
  ? Field extends "deltaQirat"
    ? QiratDelta
    : Field extends `${string}Qirat`
      ? Qirat
      : Value
  : WithAmounts<Value>;
