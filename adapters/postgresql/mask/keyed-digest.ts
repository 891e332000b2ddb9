import { createHmac, hash } from 'node:crypto'

/** HMAC-SHA-256 of `[start, end)`; `latin1`: a character for each of its 32 bytes. */
export type KeyedDigest = (bytes: Buffer, start: number, end: number, encoding: 'hex' | 'latin1') => string

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/** Longer values are not copied beside the key. */
const MAX_SHORT_BYTES = 1024

/**
 * HMAC-SHA-256 with one key over many short values: twice as fast as `createHmac`, which makes three objects for each.
 * `H(key ^ opad, H(key ^ ipad, value))`, RFC 2104, section 2.
 * @param key at most 64 bytes.
 */
export function keyedDigest(key: Buffer): KeyedDigest {
  if (key.length > BLOCK_BYTES) throw new RangeError('a key longer than a block would have to be hashed first')
  const inner = padded(key, 0x36, MAX_SHORT_BYTES)
  const outer = padded(key, 0x5c, DIGEST_BYTES)
  return (bytes, start, end, encoding) => {
    const length = end - start
    if (length > MAX_SHORT_BYTES) return createHmac('sha256', key).update(bytes.subarray(start, end)).digest(encoding)
    bytes.copy(inner, BLOCK_BYTES, start, end)
    outer.write(hash('sha256', inner.subarray(0, BLOCK_BYTES + length), 'latin1'), BLOCK_BYTES, 'latin1')
    return hash('sha256', outer, encoding)
  }
}

function padded(key: Buffer, pad: number, room: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + room)
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (key[i] ?? 0) ^ pad
  return block
}

/** One family's stand-ins say nothing of another's. */
export function subkey(key: Buffer, family: string): Buffer {
  return createHmac('sha256', key).update(`sallyport mask ${family}`).digest()
}
