/** Builds PostgreSQL messages a second way, byte by byte from the documentation, sharing no code with the codec. */

export const int16 = (n: number): number[] => [(n >> 8) & 255, n & 255]
export const int32 = (n: number): number[] => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
export const text = (value: string): number[] => [...new TextEncoder().encode(value), 0]

export function message(type: string, ...parts: readonly (readonly number[])[]): Buffer {
  const body = parts.flat()
  return Buffer.from([type.charCodeAt(0), ...int32(body.length + 4), ...body])
}

export interface Value { readonly bytes: readonly number[] | null }

export const query = (sql: string): Buffer => message('Q', text(sql))
export const parse = (name: string, sql: string, types: readonly number[] = []): Buffer => message('P', text(name), text(sql), int16(types.length), types.flatMap(int32))
export const bind = (portal: string, statement: string, formats: readonly number[], values: readonly Value[], results: readonly number[] = []): Buffer =>
  message('B', text(portal), text(statement), int16(formats.length), formats.flatMap(int16), int16(values.length),
    values.flatMap(({ bytes }) => (bytes === null ? int32(-1) : [...int32(bytes.length), ...bytes])), int16(results.length), results.flatMap(int16))
export const describeMessage = (kind: 'S' | 'P', name: string): Buffer => message('D', [kind.charCodeAt(0)], text(name))
export const close = (kind: 'S' | 'P', name: string): Buffer => message('C', [kind.charCodeAt(0)], text(name))
export const execute = (portal: string, rows: number): Buffer => message('E', text(portal), int32(rows))
export const sync = (): Buffer => message('S')
export const terminate = (): Buffer => message('X')
export const copyData = (bytes: readonly number[]): Buffer => message('d', bytes)

export interface Column {
  readonly name: string
  readonly table: number
  readonly attribute: number
  readonly type: number
  readonly size: number
  readonly typmod: number
  readonly format: number
}
export const rowDescription = (columns: readonly Column[]): Buffer =>
  message('T', int16(columns.length), columns.flatMap((c) => [...text(c.name), ...int32(c.table), ...int16(c.attribute), ...int32(c.type), ...int16(c.size), ...int32(c.typmod), ...int16(c.format)]))
export const dataRow = (values: readonly (string | null)[]): Buffer =>
  message('D', int16(values.length), values.flatMap((value) => {
    const bytes = value === null ? null : [...new TextEncoder().encode(value)]
    return bytes === null ? int32(-1) : [...int32(bytes.length), ...bytes]
  }))
export const commandComplete = (tag: string): Buffer => message('C', text(tag))
export const ready = (status: string): Buffer => message('Z', [status.charCodeAt(0)])
export const parameterStatus = (name: string, value: string): Buffer => message('S', text(name), text(value))
