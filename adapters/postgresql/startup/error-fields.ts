/**
 * ErrorResponse and NoticeResponse: `(Byte1 field · String value)* · NUL`.
 * Source: PostgreSQL documentation, "Error and Notice Message Fields".
 */
import { ProtocolViolation } from './protocol-violation.ts'

const FIELDS = {
  /** As shown to people, maybe translated. */
  severityText: 'S',
  /** ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO or LOG; never translated. */
  severity: 'V',
  /** SQLSTATE. */
  code: 'C',
  message: 'M',
  detail: 'D',
  hint: 'H',
  /** Character of the statement, from 1. */
  position: 'P',
  internalPosition: 'p',
  internalQuery: 'q',
  where: 'W',
  schema: 's',
  table: 't',
  column: 'c',
  dataType: 'd',
  constraint: 'n',
  file: 'F',
  line: 'L',
  routine: 'R',
} as const

type FieldName = keyof typeof FIELDS
export type ErrorFields = { readonly [name in FieldName]?: string }
export type NewErrorFields = ErrorFields & { readonly severity: string; readonly code: string; readonly message: string }
/** `latin1` carries bytes of any client encoding through a parse and an encode unchanged. */
export type TextEncoding = 'utf8' | 'latin1'

const NAMES = new Map(Object.entries(FIELDS).map(([name, letter]) => [letter.charCodeAt(0), name as FieldName]))

export function encodeError(fields: NewErrorFields, encoding: TextEncoding = 'utf8'): Buffer {
  return encode('E', fields, encoding)
}

export function encodeNotice(fields: NewErrorFields, encoding: TextEncoding = 'utf8'): Buffer {
  return encode('N', fields, encoding)
}

function encode(type: 'E' | 'N', fields: NewErrorFields, encoding: TextEncoding): Buffer {
  const all: ErrorFields = { severityText: fields.severity, ...fields }
  const parts: Buffer[] = []
  for (const name of Object.keys(FIELDS) as FieldName[]) {
    const value = all[name]
    if (value !== undefined) parts.push(Buffer.from(`${FIELDS[name]}${value.replaceAll('\0', '')}\0`, encoding))
  }
  const body = Buffer.concat([Buffer.alloc(5), ...parts, Buffer.of(0)])
  body[0] = type.charCodeAt(0)
  body.writeInt32BE(body.length - 1, 1)
  return body
}

/** Of the body between `start` and `end` (after the length word). Fields nobody knows are left out. Throws `ProtocolViolation`. */
export function parseErrorFields(buffer: Buffer, start = 0, end = buffer.length, encoding: TextEncoding = 'utf8'): ErrorFields {
  const fields: { [name in FieldName]?: string } = {}
  let at = start
  while (at < end && buffer[at] !== 0) {
    const terminator = buffer.indexOf(0, at + 1)
    if (terminator === -1 || terminator >= end) throw unterminated()
    const name = NAMES.get(buffer[at] ?? 0)
    if (name !== undefined) fields[name] = buffer.toString(encoding, at + 1, terminator)
    at = terminator + 1
  }
  if (at !== end - 1) throw unterminated()
  return fields
}

function unterminated(): ProtocolViolation {
  return new ProtocolViolation('08P01', 'error fields without terminator')
}
