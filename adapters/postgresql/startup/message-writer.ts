const MAX_PART_BYTES = 0x7fff_ffff - 5

/** A part of a message body: bytes as they are, or a string that a NUL ends. */
export type Part = Buffer | string

/** One typed message: `Byte1 type · Int32 length (itself included) · body`. A NUL inside a string is dropped. */
export function message(type: string, ...parts: Part[]): Buffer {
  return framed(type, parts)
}

/** A message without a type byte: what a client sends first. */
export function untypedMessage(...parts: Part[]): Buffer {
  return framed('', parts)
}

export function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

function framed(type: string, parts: readonly Part[]): Buffer {
  const body = parts.map((part) => (typeof part === 'string' ? cString(part) : part))
  const length = body.reduce((sum, part) => sum + part.length, 0)
  if (length > MAX_PART_BYTES) throw new RangeError('message too long for the protocol')
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(length + 4), ...body])
}

function cString(text: string): Buffer {
  return Buffer.from(`${text.replaceAll('\0', '')}\0`)
}
