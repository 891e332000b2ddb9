import { BodyReader } from './body-reader.ts'

const HEADER = 5

/** One column of a RowDescription. */
export interface ColumnDescription {
  readonly name: string
  /** OID of the table it is a plain column of; 0 when it is computed. */
  readonly table: number
  /** Attribute number in that table; 0 when it is computed. */
  readonly attribute: number
  readonly type: number
  readonly typmod: number
  readonly format: 0 | 1
}

/** RowDescription: int16 n, n × (cstring name, uint32 table, int16 attribute, uint32 type, int16 size, int32 typmod, int16 format). */
export function decodeRowDescription(buffer: Buffer, start: number, end: number): ColumnDescription[] {
  const body = new BodyReader(buffer, start + HEADER, end)
  const columns = Array.from({ length: body.uint16() }, () => column(body))
  body.finish()
  return columns
}

function column(body: BodyReader): ColumnDescription {
  const name = body.cstring()
  const table = body.uint32()
  const attribute = body.int16()
  const type = body.uint32()
  body.skip(2)
  const typmod = body.int32()
  return { name, table, attribute, type, typmod, format: body.int16() === 1 ? 1 : 0 }
}

/** CopyOutResponse: int8 format (0 textual, 1 binary), int16 n, n × int16 format. */
export function decodeCopyOut(buffer: Buffer, start: number, end: number): { binary: boolean; columns: number } {
  const body = new BodyReader(buffer, start + HEADER, end)
  return { binary: body.byte() === 1, columns: body.uint16() }
}

/** CopyData: any bytes. */
export function encodeCopyData(bytes: Buffer): Buffer {
  const message = Buffer.allocUnsafe(HEADER + bytes.length)
  message[0] = 0x64
  message.writeInt32BE(HEADER - 1 + bytes.length, 1)
  bytes.copy(message, HEADER)
  return message
}

/** NotificationResponse: int32 process, cstring channel, cstring payload; with an empty payload. */
export function withoutPayload(buffer: Buffer, start: number, end: number): Buffer {
  const body = new BodyReader(buffer, start + HEADER, end)
  body.skip(4)
  const kept = HEADER + 4 + body.cstringBytes().length + 1
  const message = Buffer.alloc(kept + 1)
  buffer.copy(message, 0, start, start + kept)
  message.writeInt32BE(message.length - 1, 1)
  return message
}

/** CommandComplete: cstring tag, `SELECT 5`. Latin-1, for tags are ASCII. */
export function decodeCommandTag(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('latin1', start + HEADER, end - 1)
}

/** Rows that a command tag counts: the last word, when it is a number. */
export function rowsOfTag(tag: string): number {
  const last = tag.lastIndexOf(' ')
  const rows = last < 0 ? Number.NaN : Number(tag.slice(last + 1))
  return Number.isSafeInteger(rows) ? rows : 0
}

/** ReadyForQuery: byte status, `I` idle, `T` in a transaction, `E` in a failed one. */
export function decodeReady(buffer: Buffer, start: number, end: number): number {
  return new BodyReader(buffer, start + HEADER, end).byte()
}

/** ParameterStatus: cstring name, cstring value. */
export function decodeParameterStatus(buffer: Buffer, start: number, end: number): { name: string; value: string } {
  const body = new BodyReader(buffer, start + HEADER, end)
  return { name: body.cstring(), value: body.cstring() }
}
