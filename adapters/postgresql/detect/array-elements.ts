/**
 * Elements of arrays, changed one by one.
 * Source: array_out, array_send in src/backend/utils/adt/arrayfuncs.c.
 */
import { int32At } from '../../shared/bytes.ts'
import { int32 } from '../startup/message-writer.ts'
import { endOfQuoted } from './end-of-quoted.ts'

/** What becomes of an element: `undefined`: it stays. `null`: the whole array must become NULL. */
export type ElementChange = (element: Buffer) => Buffer | null | undefined

/** `{a,"b \"c\"",NULL,{…}}`, maybe after its bounds `[0:1]=`. The text has one character per byte. `null` as well when it is malformed. */
export function changeArrayText(text: string, change: ElementChange): string | null | undefined {
  const begin = text.startsWith('[') ? text.indexOf('=') + 1 : 0
  let written = ''
  let copied = 0
  for (let at = begin; at < text.length;) {
    const end = endOfElement(text, at)
    if (end < 0) return null
    const element = end === at ? undefined : changed(text.slice(at, end), change)
    if (element === null) return null
    if (element !== undefined) {
      written += text.slice(copied, at) + element
      copied = end
    }
    at = Math.max(end, at + 1)
  }
  return copied === 0 ? undefined : written + text.slice(copied)
}

/** Behind the element that begins here; `at` when none does, -1 when it does not end. */
function endOfElement(text: string, at: number): number {
  if (text[at] === '"') return endOfQuoted(text, at)
  let end = at
  while (end < text.length && !'{},'.includes(text.charAt(end))) end += text[end] === '\\' ? 2 : 1
  return Math.min(end, text.length)
}

function changed(token: string, change: ElementChange): string | null | undefined {
  const quoted = token.startsWith('"')
  if (!quoted && token.toUpperCase() === 'NULL') return undefined
  const raw = quoted ? token.slice(1, -1) : token
  const element = change(Buffer.from(raw.replace(/\\([^])/g, '$1'), 'latin1'))
  return element === undefined || element === null ? element : elementText(element.toString('latin1'), quoted)
}

/** What was not quoted holds nothing that must be; nor does it when less is left of it. */
function elementText(element: string, quoted: boolean): string {
  return quoted || element === '' ? `"${element.replace(/["\\]/g, '\\$&')}"` : element
}

const NULL_LENGTH = -1
/** An element type, and its dimensions: at most six, of eight bytes. */
const HEADER_BYTES = 12
const DIMENSION_BYTES = 8

/** int32 dimensions, int32 flags, OID element type, per dimension int32 size and int32 bound; then int32 length and bytes each. `null` as well when it is malformed. */
export function changeArrayBinary(bytes: Buffer, start: number, end: number, change: ElementChange): Buffer | null | undefined {
  let at = start + HEADER_BYTES + DIMENSION_BYTES * (end - start < HEADER_BYTES ? 0 : int32At(bytes, start) & 0xff)
  const parts = [bytes.subarray(start, Math.min(at, end))]
  let changed = false
  while (at < end) {
    const length = at + 4 > end ? end : int32At(bytes, at)
    if (length < NULL_LENGTH || length > end - at - 4) return null
    const until = at + 4 + Math.max(0, length)
    const element = length === NULL_LENGTH ? undefined : change(Buffer.from(bytes.subarray(at + 4, until)))
    if (element === null) return null
    changed ||= element !== undefined
    parts.push(...element === undefined ? [bytes.subarray(at, until)] : [int32(element.length), element])
    at = until
  }
  return at === end ? changed ? Buffer.concat(parts) : undefined : null
}
