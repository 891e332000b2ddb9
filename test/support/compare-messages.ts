/**
 * The client's half of the protocol, built byte by byte and independently of the gateway's own encoders.
 * Source: PostgreSQL documentation, "Message Formats".
 */

/** A bound value: text, bytes, or NULL. */
export type Value = Buffer | string | null
type Part = Buffer | string

export interface BindFields {
  readonly portal?: string
  readonly statement?: string
  readonly values?: readonly Value[]
  /** 0 text, 1 binary; none: all text. */
  readonly formats?: readonly number[]
  readonly results?: readonly number[]
}

export const query = (text: Part): Buffer => message('Q', cstring(text))
export const parse = (text: Part, name: Part = '', types: readonly number[] = []): Buffer =>
  message('P', cstring(name), cstring(text), int16(types.length), ...types.map(int32))
export const describe = (kind: 'S' | 'P', name: Part = ''): Buffer => message('D', Buffer.from(kind), cstring(name))
export const close = (kind: 'S' | 'P', name: Part = ''): Buffer => message('C', Buffer.from(kind), cstring(name))
export const execute = (portal: Part = '', maxRows = 0): Buffer => message('E', cstring(portal), int32(maxRows))
export const sync = (): Buffer => message('S')
export const flush = (): Buffer => message('H')
export const terminate = (): Buffer => message('X')
export const copyData = (bytes: Part): Buffer => message('d', Buffer.from(bytes as string))
export const copyDone = (): Buffer => message('c')
export const copyFail = (reason: string): Buffer => message('f', cstring(reason))

export function bind({ portal = '', statement = '', values = [], formats = [], results = [] }: BindFields = {}): Buffer {
  return message('B', cstring(portal), cstring(statement), ...counted(formats), int16(values.length), ...values.flatMap(sized), ...counted(results))
}

/** A fast-path call: arguments and result in binary. */
export function functionCall(oid: number, values: readonly Buffer[]): Buffer {
  return message('F', int32(oid), int16(1), int16(1), int16(values.length), ...values.flatMap(sized), int16(1))
}

/** Parse, Bind, Describe, Execute and Sync, all unnamed. */
export function extended(text: string, fields: BindFields = {}): Buffer {
  return Buffer.concat([parse(text), bind(fields), describe('P'), execute(), sync()])
}

export function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** A first packet: no type byte. */
export function startup(code: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 8), int32(code), body])
}

export function cstring(text: Part): Buffer {
  return Buffer.concat([Buffer.from(text as string), Buffer.of(0)])
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

function counted(formats: readonly number[]): Buffer[] {
  return [int16(formats.length), ...formats.map(int16)]
}

function sized(value: Value): Buffer[] {
  if (value === null) return [int32(-1)]
  const bytes = Buffer.from(value as string)
  return [int32(bytes.length), bytes]
}
