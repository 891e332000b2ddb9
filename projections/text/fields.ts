import { printableLine } from './printable.ts'

/** A line for each that is not empty: `name: value`, the values below each other. */
export function renderFields(fields: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => name.length)) + 2
  return fields.filter(([, value]) => value !== '').map(([name, value]) => `${`${name}:`.padEnd(width)}${printableLine(value)}`)
}

/** `ada`, or `bot for ada` when an agent acts for her. */
export function shownName(person: string, actor: string): string {
  return printableLine(actor === '' ? person : `${actor} for ${person}`)
}

/** An RFC 3339 time in UTC as people read it, to the second. */
export function shownTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`
}
