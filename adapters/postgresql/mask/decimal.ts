/** A number as its digits: exact, whatever its type. */
export interface Decimal {
  readonly negative: boolean
  /** Without leading zeros; `0` for zero. The value is `digits / 10^scale`. */
  readonly digits: string
  /** Below zero: zeros that follow the digits. */
  readonly scale: number
}

/** More is not worth the work; what is longer has no decimal here. Enough for every float, and for `numeric(1000, …)`. */
export const MAX_DIGITS = 1100

const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/

/** As the server writes numbers. `undefined` for NaN, infinities and whatever else is none. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_DIGITS + 10) return undefined
  const match = NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  return { negative: sign === '-', digits: significant(whole + fraction), scale: fraction.length - Number(exponent) }
}

export function printDecimal({ negative, digits, scale }: Decimal): string {
  const sign = negative && digits !== '0' ? '-' : ''
  if (scale <= 0) return digits === '0' ? '0' : sign + digits + '0'.repeat(-scale)
  const padded = digits.padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

export function significant(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '')
}

/** The largest multiple of `width` that is not above the value, with the scale of the value: digits beyond it are cut, downwards. */
export function floorTo(value: Decimal, width: Decimal): Decimal {
  const scale = Math.max(value.scale, width.scale)
  const step = scaled(width, scale)
  const multiple = floorDivide(scaled(value, scale), step) * step
  const units = floorDivide(multiple, 10n ** BigInt(scale - value.scale))
  return { negative: units < 0n, digits: String(units < 0n ? -units : units), scale: value.scale }
}

function scaled({ negative, digits, scale }: Decimal, to: number): bigint {
  const units = BigInt(digits) * 10n ** BigInt(to - scale)
  return negative ? -units : units
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}
