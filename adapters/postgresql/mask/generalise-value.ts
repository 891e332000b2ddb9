/**
 * A coarser value of the same type, true of the one it stands for:
 *
 * - numbers: the lower end of their bucket. Without a width, the first digit and zeros; whole numbers (and the last decimal a
 *   `numeric` has) below ten become 0, for a digit alone would be the number;
 * - inet and cidr: the /16 network of an IPv4 address, the /48 network of an IPv6 address; wider ones as they are.
 * Dates and timestamps are partial-date.ts, texts generalise-text.ts. Other types have no coarser value: they become their constant.
 */
import { type Decimal, floorTo, parseDecimal } from './decimal.ts'
import { MAX_NETWORK_BYTES, networkOf, readNetwork, writeNetwork } from './network-address.ts'
import { type NumberFormat, numberFormat } from './number-format.ts'
import type { ValueChange } from './shuffle-value.ts'
import { OID } from './type-oids.ts'

/** @returns the function for one column, or null when its type has no coarser value here. */
export function generaliseValue(type: number, typmod: number, format: 0 | 1, bucket: number | undefined): ValueChange | null {
  const numbers = numberFormat(type, typmod, format)
  if (numbers !== undefined) return generaliseNumber(numbers, bucket)
  if (type === OID.inet || type === OID.cidr) return generaliseNetwork(type === OID.cidr, format)
  return null
}

function generaliseNumber(numbers: NumberFormat, bucket: number | undefined): ValueChange | null {
  const width = bucket === undefined ? undefined : parseDecimal(String(bucket))
  // A width that cannot be read must not become the finest one.
  if (bucket !== undefined && (width === undefined || width.negative || width.digits === '0')) return null
  return {
    growth: numbers.growth,
    change(bytes, start, end) {
      const value = numbers.read(bytes, start, end)
      if (value === undefined) return null
      const coarse = width === undefined ? firstDigit(value, numbers.float) : floorTo(precise(value, width, numbers.float), width)
      if (numbers.fits(coarse)) return numbers.write(coarse)
      return numbers.lowest === undefined ? null : numbers.write(numbers.lowest)
    },
  }
}

/** A float takes whatever digits its bucket has. */
function precise(value: Decimal, width: Decimal, float: boolean): Decimal {
  const more = width.scale - value.scale
  return float && more > 0 ? { ...value, digits: value.digits + '0'.repeat(more), scale: width.scale } : value
}

function firstDigit(value: Decimal, float: boolean): Decimal {
  const { digits } = value
  if (digits.length === 1) return float ? value : { ...value, digits: '0' }
  return { ...value, digits: digits.slice(0, 1).padEnd(digits.length, '0') }
}

const NETWORK_BITS = { 4: 16, 16: 48 } as const

function generaliseNetwork(cidr: boolean, format: 0 | 1): ValueChange {
  return {
    growth: MAX_NETWORK_BYTES,
    change(bytes, start, end) {
      const value = readNetwork(bytes, start, end, format)
      if (value === undefined) return null
      const { address, bits } = value
      return writeNetwork(networkOf({ address, bits: Math.min(bits, NETWORK_BITS[address.length === 4 ? 4 : 16]) }), cidr, format)
    },
  }
}
