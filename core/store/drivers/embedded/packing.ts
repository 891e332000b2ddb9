/** How the text of a commit becomes the bytes that are stored, and back. Events of one commit look alike: they pack well. */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { CommitRow } from './commit-row.ts'
import { corrupt } from './store-failure.ts'

/** `CommitRow.codec` */
const RAW = 0
const BROTLI = 1

/**
 * Smaller texts are stored as they are. Packing costs a commit about a tenth of its time however little there is to
 * pack, and takes a tenth off 400 bytes, a third off 800 and two thirds off 2,700 (one append of a gateway).
 */
const SMALLEST_PACKED_BYTES = 1024
/** More than any commit has; a row that claims more is damaged. */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024
/** Beyond what is expected: an output buffer that is filled to the last byte has zlib make another. */
const ROOM_BYTES = 64
/** Logarithm of how far back alike bytes are found. */
const WINDOW_BITS = 18

const FASTEST = { [constants.BROTLI_PARAM_QUALITY]: 0, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS }

/** Packs the text of a row, UTF-8. The answer may share its memory. */
export function pack(text: Uint8Array): Pick<CommitRow, 'size' | 'codec' | 'body'> {
  const size = text.length
  if (size < SMALLEST_PACKED_BYTES) return { size, codec: RAW, body: text }
  const body = brotliCompressSync(text, { params: FASTEST })
  return body.length < size ? { size, codec: BROTLI, body } : { size, codec: RAW, body: text }
}

/** The text that was packed. Throws `STORE_CORRUPT`; allocates no more than the row says it holds, and that is capped. */
export function unpack(row: CommitRow, path: string): string {
  if (row.size > MAX_TEXT_BYTES) throw corrupt(path, `the commit at position ${row.position} claims ${row.size} bytes`)
  const bytes = unpacked(row, path)
  if (bytes.length !== row.size) throw corrupt(path, `the commit at position ${row.position} holds ${bytes.length} bytes, not ${row.size}`)
  return bytes.toString()
}

function unpacked({ position, codec, size, body }: CommitRow, path: string): Buffer {
  if (codec === RAW) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (codec !== BROTLI) throw corrupt(path, `the commit at position ${position} is packed in a way (${codec}) that is not known`)
  try {
    return brotliDecompressSync(body, { maxOutputLength: size, chunkSize: size + ROOM_BYTES })
  } catch (cause) {
    throw corrupt(path, `the commit at position ${position} cannot be unpacked`, cause)
  }
}
