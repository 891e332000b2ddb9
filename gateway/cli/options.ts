import { InvalidArgumentError, Option } from 'commander'

export const configOption = (): Option => new Option('-c, --config <file>', 'the configuration').default('sallyport.yaml')
export const jsonOption = (): Option => new Option('--json', 'print JSON, one document per line')
export const limitOption = (preset: number): Option => new Option('-n, --limit <count>', 'how many, the newest').default(preset).argParser(wholeNumber)

export function wholeNumber(written: string): number {
  if (!/^[1-9]\d{0,6}$/.test(written)) throw new InvalidArgumentError('write a whole number from 1 to 9999999.')
  return Number(written)
}

const AGO = /^(\d{1,6})(s|m|h|d)$/
const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `15m` (ago), `2026-11-21` or `2026-11-21T09:30`, in UTC unless it says otherwise → RFC 3339. */
export function moment(written: string): string {
  const [, count, unit] = AGO.exec(written) ?? []
  if (count !== undefined && unit !== undefined) return new Date(Date.now() - Number(count) * UNITS[unit as keyof typeof UNITS]).toISOString()
  const absolute = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(written) ? Date.parse(zoned(written)) : NaN
  if (Number.isNaN(absolute)) throw new InvalidArgumentError('write how long ago (15m, 2h, 7d), a date (2026-11-21) or a time (2026-11-21T09:30Z).')
  return new Date(absolute).toISOString()
}

/** `30m`, `2h` → seconds. */
export function lasting(written: string): number {
  const [, count, unit] = AGO.exec(written) ?? []
  if (count === undefined || unit === undefined) throw new InvalidArgumentError('write how long: 30m, 2h, 1d.')
  return Number(count) * UNITS[unit as keyof typeof UNITS] / 1000
}

/** Times without a zone are UTC, as everything that is printed is. */
function zoned(written: string): string {
  return written.includes('T') && !/(Z|[+-]\d{2}:\d{2})$/.test(written) ? `${written}Z` : written
}
