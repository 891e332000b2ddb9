/**
 * Big-endian integers without bounds checks: for loops that have checked the range already.
 * A read beyond the end gives garbage, never a throw.
 */
export function int16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24 | (bytes[at + 1] as number) << 16) >> 16
}

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) << 24 | (bytes[at + 1] as number) << 16 | (bytes[at + 2] as number) << 8 | (bytes[at + 3] as number)
}

export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Below this many bytes a loop is faster than the call into the runtime. */
const SHORT_BYTES = 48

/** Copies `[from, to)` of `source` to `target` at `at`; the buffers must be different ones. */
export function copyBytes(source: Buffer, from: number, to: number, target: Buffer, at: number): void {
  if (to - from > SHORT_BYTES) source.copy(target, at, from, to)
  else for (let i = from, o = at; i < to; i++, o++) target[o] = source[i] as number
}

/** Writes `byte` over `[from, to)`. */
export function fillBytes(bytes: Buffer, byte: number, from: number, to: number): void {
  if (to - from > SHORT_BYTES) bytes.fill(byte, from, to)
  else for (let i = from; i < to; i++) bytes[i] = byte
}
