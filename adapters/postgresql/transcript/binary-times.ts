/**
 * Binary dates and times as text, in ISO style and UTC.
 * Source: PostgreSQL, date_send, time_send, timestamp_send, interval_send in src/backend/utils/adt.
 */
const MICROSECONDS_PER_DAY = 86_400_000_000n
/** Days from 0000-03-01 to 2000-01-01, proleptic Gregorian. */
const EPOCH_DAYS = 730_425

/** int32: days since 2000-01-01. */
export function dateText(bytes: Buffer): string {
  const days = bytes.readInt32BE()
  if (days === 0x7fff_ffff) return 'infinity'
  return days === -0x8000_0000 ? '-infinity' : withEra(civil(days), '')
}

/** int64: microseconds since 2000-01-01. */
export function timestampText(bytes: Buffer, zone: '' | '+00'): string {
  const value = bytes.readBigInt64BE()
  if (value === 0x7fff_ffff_ffff_ffffn) return 'infinity'
  if (value === -0x8000_0000_0000_0000n) return '-infinity'
  const inDay = (value % MICROSECONDS_PER_DAY + MICROSECONDS_PER_DAY) % MICROSECONDS_PER_DAY
  return withEra(civil(Number((value - inDay) / MICROSECONDS_PER_DAY)), ` ${clock(inDay)}${zone}`)
}

/** int64: microseconds since midnight. */
export function timeText(bytes: Buffer): string {
  return clock(bytes.readBigInt64BE())
}

/** As `time`, then int32: seconds west of UTC. */
export function timetzText(bytes: Buffer): string {
  const west = bytes.readInt32BE(8)
  const east = Math.abs(west)
  const parts = [Math.floor(east / 3600), Math.floor(east / 60) % 60, east % 60].map((part) => String(part).padStart(2, '0'))
  const shown = east % 60 !== 0 ? parts : east % 3600 !== 0 ? parts.slice(0, 2) : parts.slice(0, 1)
  return `${timeText(bytes)}${west > 0 ? '-' : '+'}${shown.join(':')}`
}

/** int64 microseconds, int32 days, int32 months; in the style `postgres`. */
export function intervalText(bytes: Buffer): string {
  const time = bytes.readBigInt64BE()
  const days = bytes.readInt32BE(8)
  const months = bytes.readInt32BE(12)
  const parts = [counted(Math.trunc(months / 12), 'year'), counted(months % 12, 'mon'), counted(days, 'day')].filter((part) => part !== '')
  if (time !== 0n || parts.length === 0) parts.push(time < 0n ? `-${clock(-time)}` : clock(time))
  return parts.join(' ')
}

function counted(count: number, unit: string): string {
  return count === 0 ? '' : `${count} ${unit}${count === 1 ? '' : 's'}`
}

function clock(microseconds: bigint): string {
  const seconds = microseconds / 1_000_000n
  const fraction = String(microseconds % 1_000_000n).padStart(6, '0').replace(/0+$/, '')
  const parts = [seconds / 3600n, seconds / 60n % 60n, seconds % 60n].map((part) => String(part).padStart(2, '0'))
  return parts.join(':') + (fraction === '' ? '' : `.${fraction}`)
}

interface CivilDate { readonly year: number; readonly month: number; readonly day: number }

/** Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
function civil(days: number): CivilDate {
  const z = days + EPOCH_DAYS
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1 }
}

function withEra({ year, month, day }: CivilDate, time: string): string {
  const shown = year > 0 ? year : 1 - year
  const date = `${String(shown).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
  return `${date}${time}${year > 0 ? '' : ' BC'}`
}
