/**
 * Another value of the same type and shape, which only the key tells: equal values give equal results within a target, in text
 * and in binary format, and nobody can try out values without the key.
 *
 * - text types: shuffle-text.ts;
 * - numbers: as many digits, the same sign and scale; `0` to `9` among themselves;
 * - dates and timestamps: any day from 1930 to 2029, any whole second; times: any whole second;
 * - uuid: the same version and variant; inet and cidr: the same family and network width.
 * Other types have too few values, or no shape: they become their constant.
 */
import { type Decimal, significant } from './decimal.ts'
import { keyedDigest, subkey, type KeyedDigest } from './keyed-digest.ts'
import { Keystream } from './keystream.ts'
import { MAX_NETWORK_BYTES, networkOf, readNetwork, writeNetwork } from './network-address.ts'
import { type NumberFormat, numberFormat } from './number-format.ts'
import { printTime, readTime, TIME_TYPES, type TimeType } from './time-format.ts'
import { OID } from './type-oids.ts'

/** What becomes of a value, or null when it cannot be read. */
export type ChangeValue = (bytes: Buffer, start: number, end: number) => Buffer | null
export interface ValueChange { readonly change: ChangeValue; readonly growth: number }

/** @returns the function for one column, or null when its type has no other value of the same shape. Not for text types. */
export function shuffleValue(type: number, typmod: number, format: 0 | 1, key: Buffer): ValueChange | null {
  const digest = (family: string): KeyedDigest => keyedDigest(subkey(key, `shuffle ${family}`))
  const numbers = numberFormat(type, typmod, format)
  if (numbers !== undefined) return shuffleNumber(numbers, digest('number'))
  const times = TIME_TYPES.get(type)
  if (times !== undefined) return shuffleTime(times, format, digest(times.family))
  if (type === OID.uuid) return { change: shuffleUuid(format, digest('uuid')), growth: 0 }
  if (type === OID.inet || type === OID.cidr) return shuffleNetwork(type === OID.cidr, format, digest('network'))
  return null
}

/** Of five digits, one in four is a smallint: more tries than this are never needed. */
const MAX_TRIES = 1000

function shuffleNumber(numbers: NumberFormat, digest: KeyedDigest): ValueChange {
  return {
    growth: numbers.growth,
    change(bytes, start, end) {
      const value = numbers.read(bytes, start, end)
      if (value === undefined) return null
      const stream = new Keystream(digest, Buffer.from(`${value.negative ? '-' : ''}${value.digits}e${-value.scale}`))
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const other = otherDigits(value, stream)
        if (other.digits !== value.digits && numbers.fits(other)) return numbers.write(other)
      }
      return null
    },
  }
}

function otherDigits(value: Decimal, stream: Keystream): Decimal {
  const count = value.digits.length
  let digits = count === 1 ? '' : String(1 + stream.below(9))
  while (digits.length < count) digits += String(stream.below(10))
  return { ...value, digits: significant(digits) }
}

/** 1930-01-01 and the day after 2029-12-31, in days since 2000-01-01. */
const FIRST_DAY = -25_567
const DAYS = 36_525
const SECONDS_PER_DAY = 86_400

function shuffleTime(type: TimeType, format: 0 | 1, digest: KeyedDigest): ValueChange {
  return {
    growth: 32,
    change(bytes, start, end) {
      const value = readTime(type, bytes, start, end, format)
      if (value === 'infinite') return null
      const stream = new Keystream(digest, value === undefined ? bytes.subarray(start, end) : Buffer.from(`${value.days}d${value.microseconds}`))
      for (;;) {
        const other = { days: type.day ? FIRST_DAY + stream.below(DAYS) : 0, microseconds: type.clock ? stream.below(SECONDS_PER_DAY) * 1_000_000 : 0 }
        if (other.days !== value?.days || other.microseconds !== value.microseconds) return printTime(type, other, format)
      }
    },
  }
}

const UUID_BYTES = 16

function shuffleUuid(format: 0 | 1, digest: KeyedDigest): ChangeValue {
  return (bytes, start, end) => {
    const value = format === 1 ? Buffer.from(bytes.subarray(start, end)) : Buffer.from(bytes.toString('latin1', start, end).replaceAll('-', ''), 'hex')
    if (value.length !== UUID_BYTES) return null
    const other = randomBytes(value, new Keystream(digest, value))
    other[6] = (other[6] as number) & 0x0f | (value[6] as number) & 0xf0
    other[8] = (other[8] as number) & 0x3f | (value[8] as number) & 0xc0
    return format === 1 ? other : Buffer.from(other.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'))
  }
}

function shuffleNetwork(cidr: boolean, format: 0 | 1, digest: KeyedDigest): ValueChange {
  return {
    growth: MAX_NETWORK_BYTES,
    change(bytes, start, end) {
      const value = readNetwork(bytes, start, end, format)
      if (value === undefined) return null
      const stream = new Keystream(digest, Buffer.concat([Buffer.of(value.bits), value.address]))
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const other = { address: randomBytes(value.address, stream), bits: value.bits }
        const whole = cidr ? networkOf(other) : other
        if (!whole.address.equals(value.address)) return writeNetwork(whole, cidr, format)
      }
      // 0.0.0.0/0, which has no other.
      return writeNetwork(value, cidr, format)
    },
  }
}

function randomBytes({ length }: Buffer, stream: Keystream): Buffer {
  return Buffer.from(Array.from({ length }, () => stream.below(256)))
}
