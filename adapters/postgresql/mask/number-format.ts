/**
 * Numbers of every type in both formats, as decimals and back.
 * Source: int2send, int4send, int8send, float4send, float8send, numeric_send, make_numeric_typmod in src/backend/utils/adt.
 */
import { int16At } from '../../shared/bytes.ts'
import { type Decimal, MAX_DIGITS, parseDecimal, printDecimal, significant } from './decimal.ts'
import { OID } from './type-oids.ts'

export interface NumberFormat {
  /** `undefined` for what is no finite number, or has more than `MAX_DIGITS`. */
  read(bytes: Buffer, start: number, end: number): Decimal | undefined
  /** Whether the type can hold it. */
  fits(value: Decimal): boolean
  /** Of a value that fits. */
  write(value: Decimal): Buffer
  /** The lowest value of the type, where it has one. */
  readonly lowest: Decimal | undefined
  /** Between two of its numbers lie more: one digit does not name one. */
  readonly float: boolean
  /** No value it writes grows by more bytes than this. */
  readonly growth: number
}

/** `undefined` for a type that is no number. (`money` is text with a currency: none.) */
export function numberFormat(type: number, typmod: number, format: 0 | 1): NumberFormat | undefined {
  if (type === OID.numeric) return numericFormat(typmod, format)
  if (type === OID.float4 || type === OID.float8) return floatFormat(type === OID.float4 ? 4 : 8, format)
  const integer = INTEGERS.get(type)
  return integer === undefined ? undefined : integerFormat(integer, format)
}

interface Integer { readonly bytes: 2 | 4 | 8; readonly least: bigint; readonly most: bigint }
const INTEGERS: ReadonlyMap<number, Integer> = new Map([
  [OID.int2, { bytes: 2, least: -0x8000n, most: 0x7fffn }],
  [OID.int4, { bytes: 4, least: -0x8000_0000n, most: 0x7fff_ffffn }],
  [OID.int8, { bytes: 8, least: -0x8000_0000_0000_0000n, most: 0x7fff_ffff_ffff_ffffn }],
  [OID.oid, { bytes: 4, least: 0n, most: 0xffff_ffffn }],
])

const LONGEST_INTEGER = 20

function integerFormat({ bytes: size, least, most }: Integer, format: 0 | 1): NumberFormat {
  const bits = size * 8
  return {
    read(bytes, start, end) {
      if (format === 0) return end - start > LONGEST_INTEGER ? undefined : wholeNumber(parseDecimal(bytes.toString('latin1', start, end)))
      if (end - start !== size) return undefined
      const raw = BigInt(`0x${bytes.toString('hex', start, end)}`)
      return fromBigint(least < 0n ? BigInt.asIntN(bits, raw) : raw)
    },
    fits(value) {
      if (value.digits.length > LONGEST_INTEGER) return false
      const number = toBigint(value)
      return number >= least && number <= most
    },
    write(value) {
      if (format === 0) return Buffer.from(printDecimal(value))
      return Buffer.from(BigInt.asUintN(bits, toBigint(value)).toString(16).padStart(size * 2, '0'), 'hex')
    },
    lowest: fromBigint(least),
    float: false,
    growth: LONGEST_INTEGER,
  }
}

function wholeNumber(value: Decimal | undefined): Decimal | undefined {
  return value?.scale === 0 ? value : undefined
}

function fromBigint(value: bigint): Decimal {
  return { negative: value < 0n, digits: String(value < 0n ? -value : value), scale: 0 }
}

function toBigint(value: Decimal): bigint {
  return BigInt(printDecimal(value))
}

const LONGEST_FLOAT = 32

function floatFormat(size: 4 | 8, format: 0 | 1): NumberFormat {
  const rounded = (value: number): number => (size === 4 ? Math.fround(value) : value)
  const number = (value: Decimal): number => rounded(Number(`${value.negative ? '-' : ''}${value.digits}e${-value.scale}`))
  return {
    read(bytes, start, end) {
      if (format === 0) return end - start > LONGEST_FLOAT ? undefined : ofFloat(rounded(Number(bytes.toString('latin1', start, end))), size)
      if (end - start !== size) return undefined
      return ofFloat(size === 4 ? bytes.readFloatBE(start) : bytes.readDoubleBE(start), size)
    },
    fits: (value) => Number.isFinite(number(value)),
    write(value) {
      // Printed from the number, for the server refuses digits that mean less than its smallest one.
      if (format === 0) return Buffer.from(shortest(number(value), size))
      const written = Buffer.alloc(size)
      if (size === 4) written.writeFloatBE(number(value))
      else written.writeDoubleBE(number(value))
      return written
    },
    lowest: undefined,
    float: true,
    growth: LONGEST_FLOAT,
  }
}

function ofFloat(value: number, size: 4 | 8): Decimal | undefined {
  if (!Number.isFinite(value)) return undefined
  return parseDecimal(shortest(value, size))
}

/** The fewest digits that mean this number. */
function shortest(value: number, size: 4 | 8): string {
  if (size === 8) return String(value)
  for (let precision = 6; precision < 9; precision++) {
    const short = Number(value.toPrecision(precision))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number(value.toPrecision(9)))
}

/** Digits in all and behind the point that `numeric(p, s)` takes; `s` may be below zero. */
function numericLimits(typmod: number): { precision: number; scale: number } | undefined {
  if (typmod < 4) return undefined
  return { precision: typmod - 4 >> 16 & 0xffff, scale: ((typmod - 4 & 0x7ff) ^ 1024) - 1024 }
}

function numericFormat(typmod: number, format: 0 | 1): NumberFormat {
  const limits = numericLimits(typmod)
  return {
    read(bytes, start, end) {
      const value = format === 0 ? numericText(bytes, start, end) : readNumeric(bytes, start, end)
      return value === undefined || limits === undefined || limits.scale >= 0 ? value : withoutZeros(value, -limits.scale)
    },
    fits: (value) => value.digits.length <= (limits?.precision ?? MAX_DIGITS),
    write: (value) => (format === 0 ? Buffer.from(printDecimal(value)) : writeNumeric(value)),
    lowest: limits === undefined ? undefined : { negative: true, digits: '9'.repeat(limits.precision), scale: limits.scale },
    float: false,
    // The lowest of `numeric(1000, -1000)`, or the widest bucket.
    growth: 2 * MAX_DIGITS,
  }
}

function numericText(bytes: Buffer, start: number, end: number): Decimal | undefined {
  const value = end - start > MAX_DIGITS + 2 ? undefined : parseDecimal(bytes.toString('latin1', start, end))
  // The server writes no exponent, which would make much of little.
  return value === undefined || value.scale < 0 ? undefined : value
}

/** Of a column that holds multiples of `10^zeros`. */
function withoutZeros(value: Decimal, zeros: number): Decimal {
  if (value.scale !== 0) return value
  return { ...value, digits: value.digits.slice(0, -zeros) || '0', scale: -zeros }
}

const HEADER_BYTES = 8
const GROUP_DIGITS = 4
const NEGATIVE = 0x4000

/** uint16 groups, int16 weight, uint16 sign, uint16 scale, then groups of four digits, the first worth 10000^weight. */
function readNumeric(bytes: Buffer, start: number, end: number): Decimal | undefined {
  if (end - start < HEADER_BYTES) return undefined
  const [count, weight, sign, scale] = [bytes.readUInt16BE(start), int16At(bytes, start + 2), bytes.readUInt16BE(start + 4), bytes.readUInt16BE(start + 6)]
  if ((sign !== 0 && sign !== NEGATIVE) || end - start !== HEADER_BYTES + 2 * count) return undefined
  // Groups from the highest to the one that holds the last digit behind the point.
  const last = -Math.ceil(scale / GROUP_DIGITS)
  if (weight - last >= MAX_DIGITS / GROUP_DIGITS) return undefined
  let digits = ''
  for (let power = weight; power >= last; power--) digits += group(bytes, start, count, weight - power)
  const beyond = -last * GROUP_DIGITS - scale
  return { negative: sign === NEGATIVE, digits: significant(`0${beyond === 0 ? digits : digits.slice(0, -beyond)}`), scale }
}

function group(bytes: Buffer, start: number, count: number, index: number): string {
  return index < count ? String(bytes.readUInt16BE(start + HEADER_BYTES + 2 * index)).padStart(GROUP_DIGITS, '0') : '0000'
}

function writeNumeric(value: Decimal): Buffer {
  const scale = Math.max(0, value.scale)
  const [whole = '', fraction = ''] = printDecimal({ ...value, negative: false }).split('.')
  const left = whole.padStart(Math.ceil(whole.length / GROUP_DIGITS) * GROUP_DIGITS, '0')
  const all = left + fraction.padEnd(Math.ceil(fraction.length / GROUP_DIGITS) * GROUP_DIGITS, '0')
  const groups = (all.match(/\d{4}/g) ?? []).map(Number)
  let weight = left.length / GROUP_DIGITS - 1
  for (; groups[0] === 0; weight--) groups.shift()
  while (groups.at(-1) === 0) groups.pop()
  const written = Buffer.alloc(HEADER_BYTES + 2 * groups.length)
  written.writeUInt16BE(groups.length)
  written.writeInt16BE(groups.length === 0 ? 0 : weight, 2)
  written.writeUInt16BE(value.negative && groups.length > 0 ? NEGATIVE : 0, 4)
  written.writeUInt16BE(scale, 6)
  groups.forEach((each, index) => written.writeUInt16BE(each, HEADER_BYTES + 2 * index))
  return written
}
