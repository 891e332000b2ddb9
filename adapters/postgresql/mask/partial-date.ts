/**
 * Keeps the year of a date or timestamp: the first of January, midnight UTC. In place.
 * Text is understood as the server writes it with `DateStyle` ISO; dates also in the SQL, German and Postgres styles.
 * Source: src/backend/utils/adt/datetime.c, EncodeDateOnly and EncodeDateTime; date.c, date_send; timestamp.c, timestamp_send.
 */
import { int32At, putInt32 } from '../../shared/bytes.ts'

const ZERO = 0x30
const ONE = 0x31
const HYPHEN = 0x2d
/** The earliest year BC with a first of January that the types can hold. */
const MAX_YEAR_BC = 4713

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

/** @returns whether it could; if not, the bytes are as they were. */
export function maskDateText(bytes: Buffer, start: number, end: number): boolean {
  const yearEnd = skipDigits(bytes, start, end)
  if (yearEnd - start >= 4) return maskIsoText(bytes, start, yearEnd, end, false)
  return yearEnd - start === 2 && maskDayFirst(bytes, start, end)
}

/** @returns whether it could; if not, the bytes are as they were. */
export function maskTimestampText(bytes: Buffer, start: number, end: number): boolean {
  const yearEnd = skipDigits(bytes, start, end)
  return yearEnd - start >= 4 && maskIsoText(bytes, start, yearEnd, end, true)
}

function skipDigits(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && isDigit(bytes[at])) at++
  return at
}

/** `YYYY-MM-DD[ hh:mm:ss[.ffffff][+hh[:mm[:ss]]]][ BC]` */
function maskIsoText(bytes: Buffer, start: number, yearEnd: number, end: number, withTime: boolean): boolean {
  const dateEnd = yearEnd + 6
  if (dateEnd > end || bytes[yearEnd] !== HYPHEN || bytes[yearEnd + 3] !== HYPHEN) return false
  if (!twoDigits(bytes, yearEnd + 1) || !twoDigits(bytes, yearEnd + 4)) return false
  const timeEnd = endsWithBc(bytes, dateEnd, end) ? end - 3 : end
  if (timeEnd !== end && tooEarly(bytes, start, yearEnd)) return false
  if (withTime ? !isTime(bytes, dateEnd, timeEnd) : dateEnd !== timeEnd) return false
  putFirst(bytes, yearEnd + 1)
  putFirst(bytes, yearEnd + 4)
  for (let i = dateEnd; i < timeEnd; i++) if (isDigit(bytes[i])) bytes[i] = ZERO
  return true
}

/** `DD/MM/YYYY`, `MM/DD/YYYY`, `MM-DD-YYYY` or `DD.MM.YYYY`, and ` BC`. */
function maskDayFirst(bytes: Buffer, start: number, end: number): boolean {
  const yearEnd = skipDigits(bytes, start + 6, end)
  if (yearEnd - start < 10 || !twoDigits(bytes, start + 3)) return false
  if (!isDateSeparator(bytes[start + 2]) || bytes[start + 5] !== bytes[start + 2]) return false
  const bc = endsWithBc(bytes, yearEnd, end)
  if (yearEnd !== (bc ? end - 3 : end) || (bc && tooEarly(bytes, start + 6, yearEnd))) return false
  putFirst(bytes, start)
  putFirst(bytes, start + 3)
  return true
}

const twoDigits = (bytes: Buffer, at: number): boolean => isDigit(bytes[at]) && isDigit(bytes[at + 1])
const isDateSeparator = (byte: number | undefined): boolean => byte === HYPHEN || byte === 0x2e || byte === 0x2f

function putFirst(bytes: Buffer, at: number): void {
  bytes[at] = ZERO
  bytes[at + 1] = ONE
}

function endsWithBc(bytes: Buffer, from: number, end: number): boolean {
  return end - 3 >= from && bytes[end - 3] === 0x20 && bytes[end - 2] === 0x42 && bytes[end - 1] === 0x43
}

function tooEarly(bytes: Buffer, start: number, yearEnd: number): boolean {
  return yearEnd - start > 6 || Number(bytes.toString('latin1', start, yearEnd)) > MAX_YEAR_BC
}

/** A space, then nothing but digits, colons, a point and the sign of an offset. */
function isTime(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 9 || bytes[start] !== 0x20) return false
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i]
    if (!isDigit(byte) && byte !== 0x3a && byte !== 0x2e && byte !== 0x2b && byte !== HYPHEN) return false
  }
  return true
}

/** Days from 0000-03-01 to 2000-01-01, proleptic Gregorian. */
const EPOCH_DAYS = 730_425
const MIN_DAYS = -2_451_545
const MICROSECONDS_PER_DAY = 86_400_000_000
const TWO_32 = 0x1_0000_0000

/**
 * The first day of the year of `days` after 2000-01-01, counted likewise.
 * Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
 */
function yearStart(days: number): number {
  const z = days + EPOCH_DAYS
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfMarchYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  // March years end in February; January and February belong to the civil year after.
  const year = yearOfEra + era * 400 + (dayOfMarchYear >= 306 ? 1 : 0)
  return firstOfJanuary(year)
}

function firstOfJanuary(year: number): number {
  const y = year - 1
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + 306 - EPOCH_DAYS
}

/** int32: days since 2000-01-01. Out of range or infinite: 2000-01-01. */
export function maskDateBinary(bytes: Buffer, start: number): void {
  const days = int32At(bytes, start)
  const finite = days !== -0x8000_0000 && days !== 0x7fff_ffff
  const first = finite ? yearStart(days) : 0
  putInt32(bytes, start, first < MIN_DAYS ? 0 : first)
}

/** int64: microseconds since 2000-01-01. Out of range or infinite: 2000-01-01. */
export function maskTimestampBinary(bytes: Buffer, start: number): void {
  const high = int32At(bytes, start)
  const finite = high !== -0x8000_0000 && high !== 0x7fff_ffff
  const first = finite ? yearStart(daysOf(high, int32At(bytes, start + 4) >>> 0)) : 0
  // Exact: what is left of a day without its factor 2^13 takes 50 bits.
  const microseconds = first < MIN_DAYS ? 0 : first * MICROSECONDS_PER_DAY
  const top = Math.floor(microseconds / TWO_32)
  putInt32(bytes, start, top)
  putInt32(bytes, start + 4, microseconds - top * TWO_32)
}

/** Whole days, rounded down. 64 bits do not fit a double; without the factor 2^13 of a day they do. */
function daysOf(high: number, low: number): number {
  return Math.floor((high * 2 ** 19 + (low >>> 13)) / (MICROSECONDS_PER_DAY / 2 ** 13))
}
