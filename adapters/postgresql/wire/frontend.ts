import { BodyReader, NOT_ASCII } from './body-reader.ts'
import { FRONTEND } from './message-types.ts'

/**
 * Decoders take a whole message, header included: `buffer[start, end)`. They throw `WireViolation`. Names are what the
 * server tells prepared statements and portals apart by: 63 bytes of ASCII, or else `NOT_ASCII` and the bytes as Latin-1.
 */
const HEADER = 5

/** Query: cstring text, in the client's encoding. */
export function decodeQuery(buffer: Buffer, start: number, end: number): Buffer {
  const body = new BodyReader(buffer, start + HEADER, end)
  const text = body.cstringBytes()
  body.finish()
  return text
}

export interface ParseMessage {
  readonly name: string
  /** In the client's encoding. */
  readonly text: Buffer
  /** Type OIDs as the client gave them; 0 = unspecified. */
  readonly types: readonly number[]
}

/** Parse: cstring name, cstring text, int16 n, n × uint32 type. */
export function decodeParse(buffer: Buffer, start: number, end: number): ParseMessage {
  const body = new BodyReader(buffer, start + HEADER, end)
  const name = body.name()
  const text = body.cstringBytes()
  const types = Array.from({ length: body.uint16() }, () => body.uint32())
  body.finish()
  return { name, text, types }
}

export interface BindMessage {
  readonly portal: string
  readonly statement: string
  /** As text; binary values as `\x…`; null is NULL. Cut off after `maxValueBytes` in all. */
  readonly values: readonly (string | null)[]
  /** False when values were left out, or the message was not whole. */
  readonly complete: boolean
  /** As given: one for all values, one each, or none for text. */
  readonly formats: readonly number[]
}

/**
 * Bind: cstring portal, cstring statement, int16 f, f × int16 format, int16 n, n × (int32 length, bytes), int16 r, r × int16 format.
 * With `whole` false, `end` may be anywhere after the two names: what is there is decoded.
 */
export function decodeBind(buffer: Buffer, start: number, end: number, maxValueBytes: number, whole = true): BindMessage {
  const body = new BodyReader(buffer, start + HEADER, end)
  const portal = body.name()
  const statement = body.name()
  const values: (string | null)[] = []
  let formats: readonly number[] = []
  try {
    formats = Array.from({ length: body.uint16() }, () => body.int16())
    const count = body.uint16()
    let budget = maxValueBytes
    for (let index = 0; index < count; index++) {
      const length = body.int32()
      budget -= Math.max(length, 0)
      if (budget < 0) return { portal, statement, values, complete: false, formats }
      values.push(length < 0 ? null : valueText(body.bytes(length), formatOf(formats, index)))
    }
    if (whole) skipFormats(body)
    return { portal, statement, values, complete: true, formats }
  } catch (error) {
    if (whole) throw error
    return { portal, statement, values, complete: false, formats }
  }
}

function skipFormats(body: BodyReader): void {
  body.skip(2 * body.uint16())
  body.finish()
}

/** One format for all, or one each; none means text. */
function formatOf(formats: readonly number[], index: number): number {
  return formats.length === 1 ? (formats[0] ?? 0) : (formats[index] ?? 0)
}

function valueText(bytes: Buffer, format: number): string {
  return format === 0 ? bytes.toString('utf8') : `\\x${bytes.toString('hex')}`
}

export interface NamedMessage {
  /** `S`: prepared statement, `P`: portal. */
  readonly kind: 'S' | 'P'
  readonly name: string
}

/** Describe and Close: byte kind, cstring name. */
export function decodeNamed(buffer: Buffer, start: number, end: number): NamedMessage {
  const body = new BodyReader(buffer, start + HEADER, end)
  const kind = body.byte() === 0x53 ? 'S' : 'P'
  const name = body.name()
  body.finish()
  return { kind, name }
}

/** Execute: cstring portal, int32 maximum of rows (0 = all). */
export function decodeExecute(buffer: Buffer, start: number, end: number): { portal: string; maxRows: number } {
  const body = new BodyReader(buffer, start + HEADER, end)
  const portal = body.name()
  const maxRows = body.int32()
  body.finish()
  return { portal, maxRows }
}

function message(type: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4)
  const header = Buffer.allocUnsafe(HEADER)
  header[0] = type
  header.writeUInt32BE(length, 1)
  return Buffer.concat([header, ...parts])
}

const cstring = (text: string): Buffer => Buffer.from(`${text}\0`)

/** A name as it came. */
const nameBytes = (name: string): Buffer => (name.startsWith(NOT_ASCII) ? Buffer.from(`${name.slice(1)}\0`, 'latin1') : cstring(name))

export function encodeQuery(text: string): Buffer {
  return message(FRONTEND.query, cstring(text))
}

export function encodeExecute(portal: string): Buffer {
  return message(FRONTEND.execute, nameBytes(portal), Buffer.alloc(4))
}

export function encodeDescribePortal(portal: string): Buffer {
  return message(FRONTEND.describe, Buffer.from('P'), nameBytes(portal))
}

/** CopyFail: cstring why. */
export function encodeCopyFail(why: string): Buffer {
  return message(FRONTEND.copyFail, cstring(why))
}

export function encodeFlush(): Buffer {
  return message(FRONTEND.flush)
}

export function encodeSync(): Buffer {
  return message(FRONTEND.sync)
}

export function encodeTerminate(): Buffer {
  return message(FRONTEND.terminate)
}
