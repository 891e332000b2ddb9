import { BodyReader } from '../wire/body-reader.ts'

/** DataRow: int16 n, n × (int32 length or -1, bytes). Values as text. */
export function rowValues(row: Buffer): (string | null)[] {
  const body = new BodyReader(row, 5, row.length)
  const values = Array.from({ length: body.uint16() }, () => {
    const length = body.int32()
    return length < 0 ? null : body.bytes(length).toString('utf8')
  })
  body.finish()
  return values
}
