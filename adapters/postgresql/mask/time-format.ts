/**
 * Days and times of every type in both formats, as days and microseconds and back.
 * Text is read in ISO style, and written so: the server takes it whatever its DateStyle.
 * Source: date_send, time_send, timetz_send, timestamp_send; EncodeDateTime in datetime.c.
 */
import { int32At, putInt32 } from '../../shared/bytes.ts'
import { OID } from './type-oids.ts'

export interface TimeType {
  /** Values of one family that mean the same are equal. */
  readonly family: string
  readonly day: boolean
  readonly clock: boolean
  readonly zone: boolean
  readonly bytes: 4 | 8 | 12
}

export const TIME_TYPES: ReadonlyMap<number, TimeType> = new Map([
  [OID.date, { family: 'date', day: true, clock: false, zone: false, bytes: 4 }],
  [OID.time, { family: 'time', day: false, clock: true, zone: false, bytes: 8 }],
  [OID.timetz, { family: 'timetz', day: false, clock: true, zone: true, bytes: 12 }],
  [OID.timestamp, { family: 'timestamp', day: true, clock: true, zone: false, bytes: 8 }],
  [OID.timestamptz, { family: 'timestamptz', day: true, clock: true, zone: true, bytes: 8 }],
])

export interface TimeValue {
  /** Since 2000-01-01; 0 where the type has no day. */
  readonly days: number
  /** Of the day, in UTC where the type has a zone; may then lie outside of it. 0 where the type has no clock. */
  readonly microseconds: number
}

const MICROSECONDS_PER_DAY = 86_400_000_000
const MILLISECONDS_PER_DAY = 86_400_000
const EPOCH = Date.UTC(2000, 0, 1)
const ISO = /^(?:(\d{4,7})-(\d\d)-(\d\d))?(?: |$|(?=\d\d:))(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/
const LONGEST_TEXT = 48

/** `undefined` when it cannot be read. */
export function readTime(type: TimeType, bytes: Buffer, start: number, end: number, format: 0 | 1): TimeValue | 'infinite' | undefined {
  if (format === 1) return end - start === type.bytes ? readBinary(type, bytes, start) : undefined
  return end - start > LONGEST_TEXT ? undefined : readText(type, bytes.toString('latin1', start, end))
}

export function printTime(type: TimeType, value: TimeValue, format: 0 | 1): Buffer {
  return format === 1 ? binaryTime(type, value) : Buffer.from(textTime(type, value))
}

function readBinary(type: TimeType, bytes: Buffer, start: number): TimeValue | 'infinite' {
  if (!type.clock) return infinite(int32At(bytes, start)) ?? { days: int32At(bytes, start), microseconds: 0 }
  const all = bytes.readBigInt64BE(start)
  if (type.day) return infinite(int32At(bytes, start)) ?? whole(Number(all / BigInt(MICROSECONDS_PER_DAY)), Number(all % BigInt(MICROSECONDS_PER_DAY)))
  const west = type.zone ? int32At(bytes, start + 8) : 0
  return { days: 0, microseconds: Number(all) + west * 1_000_000 }
}

/** The ends of the range, or so close to them that it makes no difference. */
function infinite(high: number): 'infinite' | undefined {
  return high === 0x7fff_ffff || high === -0x8000_0000 ? 'infinite' : undefined
}

function readText(type: TimeType, text: string): TimeValue | 'infinite' | undefined {
  if (text === 'infinity' || text === '-infinity') return 'infinite'
  const match = ISO.exec(text)
  if (match === null || (match[1] !== undefined) !== type.day || (match[4] !== undefined) !== type.clock) return undefined
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', sign, zoneHour = 0, zoneMinute = 0, zoneSecond = 0, bc] = match
  const east = (sign === '-' ? -1 : 1) * seconds(zoneHour, zoneMinute, zoneSecond)
  const microseconds = (seconds(hour, minute, second) - east) * 1_000_000 + Number(fraction.padEnd(6, '0'))
  if (!type.day) return { days: 0, microseconds }
  const date = new Date(EPOCH).setUTCFullYear(bc === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day))
  return Number.isNaN(date) ? undefined : whole((date - EPOCH) / MILLISECONDS_PER_DAY, microseconds)
}

function seconds(hours: string | number, minutes: string | number, rest: string | number): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
}

/** The time within its day. */
function whole(days: number, microseconds: number): TimeValue {
  const more = Math.floor(microseconds / MICROSECONDS_PER_DAY)
  return { days: days + more, microseconds: microseconds - more * MICROSECONDS_PER_DAY }
}

function binaryTime(type: TimeType, { days, microseconds }: TimeValue): Buffer {
  const written = Buffer.alloc(type.bytes)
  if (type.clock) written.writeBigInt64BE(BigInt(days) * BigInt(MICROSECONDS_PER_DAY) + BigInt(microseconds))
  else putInt32(written, 0, days)
  return written
}

function textTime(type: TimeType, { days, microseconds }: TimeValue): string {
  const [day = '', clock = ''] = new Date(EPOCH + days * MILLISECONDS_PER_DAY + microseconds / 1000).toISOString().split(/[T.]/)
  return [...type.day ? [day] : [], ...type.clock ? [clock] : []].join(' ') + (type.zone ? '+00' : '')
}
